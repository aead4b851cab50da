"""Tokens of clouds, platforms and vaults that show their issuer by their form."""

from __future__ import annotations

from collector_processor.stages.redact.rules.issued import ALNUM, ALONE, HEX, LOWER, UPPER, issued, machine_made

_BASE64URL = "[0-9A-Za-z_-]"

RULES = (
    issued(
        "aws-key",
        "AWS access key ids and Bedrock keys",
        "A3T[0-9A-Z]|ABIA|ACCA|AKIA|ASIA|ABSK",
        "[0-9A-Z]{16}|[0-9A-Za-z+/]{109,269}={0,2}",
        "AKIA" + "Z234567ABCDEFGHI",
        check=ALONE,
    ),
    issued(
        "google-key",
        "Google API keys, OAuth client secrets, access and refresh tokens",
        r"AIza|ya29\.|GOCSPX-|\b1//0",
        f"{_BASE64URL}{{28,250}}",
        "AIza" + ALNUM[:35],
    ),
    issued(
        "google-push-key",
        "Firebase cloud messaging server keys",
        "AAAA[0-9A-Za-z_-]{7}:APA91",
        f"{_BASE64URL}{{100,200}}",
        "AAAA" + ALNUM[:7] + ":APA91" + ALNUM[:134],
        cue=":APA91",
        word="[google-key]",
    ),
    issued(
        "azure-secret",
        "Azure and Entra client secrets, storage, search, function and DevOps keys",
        r"[0-9A-Za-z_~.]{3}\dQ~[0-9A-Za-z_~.-]{31,34}|[0-9A-Za-z+/]{76}\+ASt|[0-9A-Za-z]{42}AzSe"
        r"|[0-9A-Za-z_-]{44}AzFu|[0-9A-Za-z]{76}AZDO",
        r"[0-9A-Za-z+/]{4,16}={0,2}|",
        "ab.8Q~" + ALNUM[:34],
        cue=r"\dQ~|\+ASt|AzSe|AzFu|AZDO",
    ),
    issued("digitalocean-token", "DigitalOcean tokens", "do[opr]_v1_", "[0-9a-f]{64}", "dop_v1_" + HEX[:64]),
    issued("heroku-key", "Heroku keys", "HRKU-", f"{_BASE64URL}{{36,80}}", "HRKU-" + ALNUM[:60]),
    issued(
        "alibaba-key",
        "Alibaba Cloud access key ids",
        "LTAI",
        "[0-9A-Za-z]{16,24}",
        "LTAI" + ALNUM[:20],
        check=machine_made,
    ),
    issued(
        "tencent-key", "Tencent Cloud secret ids", "AKID", "[0-9A-Za-z]{32}", "AKID" + ALNUM[:32], check=machine_made
    ),
    issued(
        "yandex-key", "Yandex Cloud keys", "AQVN", f"{_BASE64URL}{{35,38}}", "AQVN" + ALNUM[:36], check=machine_made
    ),
    issued(
        "fly-token",
        "Fly.io tokens",
        "fo1_|fm[12][ar]?_",
        "[0-9A-Za-z_+/-]{43,}={0,3}",
        "fo1_" + ALNUM[:43],
        check=machine_made,
    ),
    issued(
        "netlify-token", "Netlify tokens", "nf[pc]_", "[0-9A-Za-z_]{36,40}", "nfp_" + ALNUM[:36], check=machine_made
    ),
    issued(
        "vercel-token",
        "Vercel tokens",
        "vercel_blob_rw_|vc[pikar]_",
        "[0-9A-Za-z]{16}_[0-9A-Za-z]{28,48}|[0-9A-Za-z]{52,60}",
        "vcp_" + ALNUM[:56],
        check=machine_made,
    ),
    issued("render-key", "Render keys", r"\brnd_", "[0-9A-Za-z]{26,34}", "rnd_" + ALNUM[:28], check=machine_made),
    issued("confluent-key", "Confluent secrets", "cflt", "[0-9A-Za-z+/]{60}", "cflt" + ALNUM[:60], check=machine_made),
    issued(
        "infisical-token",
        "Infisical service tokens",
        r"\bst\.",
        r"[0-9a-f]{24}\.[0-9a-f]{32}\.[0-9a-f]{32}",
        "st." + HEX[:24] + "." + HEX[:32] + "." + HEX[:32],
        cue=r"\bst\.[0-9a-f]{24}",
    ),
    issued(
        "cloudflare-token",
        "Cloudflare user and account tokens and global keys",
        "cf(?:ut|at|k)_",
        "[0-9A-Za-z_-]{40,60}",
        "cfut_" + ALNUM[:40] + HEX[:8],
        check=machine_made,
    ),
    issued(
        "cloudflare-key",
        "Cloudflare origin CA keys",
        r"v1\.0-[0-9a-f]{24}-",
        "[0-9a-f]{146}",
        "v1.0-" + HEX[:24] + "-" + HEX[:146],
        cue=r"v1\.0-[0-9a-f]",
    ),
    issued(
        "planetscale-token",
        "PlanetScale tokens and passwords",
        "pscale_(?:tkn|pw|oauth)_",
        "[0-9A-Za-z_=.-]{32,64}",
        "pscale_tkn_" + ALNUM[:43],
    ),
    issued(
        "supabase-key",
        "Supabase tokens and secret keys",
        "sbp_|sb_secret_",
        f"(?:v0_)?{_BASE64URL}{{31,64}}",
        "sbp_" + HEX[:40],
        check=machine_made,
    ),
    issued("neon-key", "Neon keys", "napi_", "[0-9a-z]{60,70}", "napi_" + LOWER[:64]),
    issued("databricks-token", "Databricks tokens", "dapi", r"[0-9a-f]{32}(?:-\d)?", "dapi" + HEX[:32], check=ALONE),
    issued(
        "doppler-token",
        "Doppler tokens",
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.",
        r"(?:[0-9a-z_-]{2,35}\.)?[0-9A-Za-z]{40,44}",
        "dp.pt." + ALNUM[:43],
    ),
    issued(
        "terraform-token",
        "HCP Terraform tokens",
        r"[0-9A-Za-z]{14}\.atlasv1\.",
        "[0-9A-Za-z_=-]{60,70}",
        ALNUM[:14] + ".atlasv1." + ALNUM[:67],
        cue=r"\.atlasv1\.",
    ),
    issued(
        "vault-token",
        "HashiCorp Vault service, batch and recovery tokens",
        r"hv[sbr]\.",
        f"{_BASE64URL}{{24,300}}",
        "hvs." + ALNUM[:90],
        check=machine_made,
    ),
    issued(
        "vault-legacy-token",
        "Vault service tokens of before 1.10",
        r"\bs\.",
        "[0-9A-Za-z]{24}",
        "s." + ALNUM[:24],
        check=machine_made,
        word="[vault-token]",
        cue=r"\bs\.[0-9A-Za-z]{24}",
    ),
    issued("pulumi-token", "Pulumi tokens", "pul-", "[0-9a-f]{40}", "pul-" + HEX[:40]),
    issued("infracost-key", "Infracost keys", "ico-", "[0-9A-Za-z]{32}", "ico-" + ALNUM[:32], check=machine_made),
    issued(
        "onepassword-token",
        "1Password service accounts and secret keys",
        "ops_eyJ|A3-[0-9A-Z]{6}-",
        "[0-9A-Za-z+/_-]{200,}={0,3}|[0-9A-Z]{6}(?:-[0-9A-Z]{5}){4}|[0-9A-Z]{5}(?:-[0-9A-Z]{5}){4}",
        "A3-" + "ABC234-" + "DEF567-" + "GH2J3-" + "KL4M5-" + "NP6Q7-" + "RS2T3",
        cue="ops_eyJ|A3-[0-9A-Z]{6}-",
    ),
    issued(
        "age-key",
        "age secret keys",
        "AGE-SECRET-KEY-1",
        "[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
        "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" + "QPZRY9X8GF2TVDW0S3JN54KHCE",
        check=ALONE,
    ),
    issued("openshift-token", "OpenShift tokens", "sha256~", f"{_BASE64URL}{{43}}", "sha256~" + ALNUM[:43]),
    issued("prefect-key", "Prefect keys", "pn[ub]_", "[0-9A-Za-z]{36}", "pnu_" + ALNUM[:36], check=machine_made),
    issued(
        "tailscale-key",
        "Tailscale keys",
        "tskey-[a-z]+-",
        "[0-9A-Za-z-]{15,80}",
        "tskey-auth-" + ALNUM[:17] + "-" + ALNUM[:32],
        check=machine_made,
    ),
    issued(
        "dynatrace-token",
        "Dynatrace tokens",
        r"dt0[a-z]\d\d\.",
        r"[0-9A-Z]{24}\.[0-9A-Z]{64}",
        "dt0c01." + UPPER[:24] + "." + UPPER[:64],
    ),
)
