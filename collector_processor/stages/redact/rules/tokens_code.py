"""Tokens of forges, registries and build services that show their issuer by their form."""

from __future__ import annotations

from collector_processor.stages.redact.rules.issued import (
    ALNUM,
    ALONE,
    ALONE_BASE64,
    HEX,
    LOWER,
    UPPER,
    issued,
    machine_made,
)

RULES = (
    issued(
        "github-token",
        "GitHub tokens: personal, fine-grained, OAuth, app, refresh",
        "gh[oprsu]_|github_pat_",
        "[0-9A-Za-z_]{36,255}",
        "ghp_" + ALNUM[:36],
        check=ALONE,
    ),
    issued(
        "gitlab-token",
        "GitLab tokens: personal, deploy, runner, agent, CI, OAuth, feed, mail …",
        "gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|oas|ffct|wt)-|GR1348941",
        r"(?:t\d_)?[0-9A-Za-z_-]{20,300}(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9})?",
        "glpat-" + ALNUM[:20],
    ),
    issued(
        "bitbucket-token", "Bitbucket app passwords", "ATBB", "[0-9A-Za-z]{24,40}", "ATBB" + ALNUM[:32], check=ALONE
    ),
    issued(
        "atlassian-token",
        "Atlassian (Jira, Confluence, Bitbucket) tokens",
        "AT[AC]TT3",
        "[0-9A-Za-z_=-]{50,300}",
        "ATATT3" + ALNUM[:186],
    ),
    issued("npm-token", "npm access tokens", "npm_", "[0-9A-Za-z]{36}", "npm_" + ALNUM[:36], check=ALONE),
    issued("pypi-token", "PyPI upload tokens", "pypi-AgE", "[0-9A-Za-z_-]{40,500}", "pypi-AgE" + ALNUM[:60]),
    issued("rubygems-key", "RubyGems keys", "rubygems_", "[0-9a-f]{48}", "rubygems_" + HEX[:48], check=ALONE),
    issued(
        "nuget-key",
        "NuGet keys",
        "oy2",
        "[0-9a-z]{43}",
        "oy2" + LOWER[:43],
        check=machine_made,
        cue="oy2[0-9a-z]{43}",
    ),
    issued(
        "crates-token",
        "Cargo registry tokens",
        "cio",
        "[0-9A-Za-z]{32}",
        "cio" + ALNUM[:32],
        check=machine_made,
        cue="cio[0-9A-Za-z]{32}",
    ),
    issued("clojars-token", "Clojars tokens", "CLOJARS_", "[0-9a-z]{60}", "CLOJARS_" + LOWER[:60], check=ALONE),
    issued(
        "docker-token",
        "Docker Hub tokens",
        "dckr_(?:pat|oat)_",
        "[0-9A-Za-z_-]{20,50}",
        "dckr_pat_" + ALNUM[:27],
    ),
    issued(
        "artifactory-token",
        "JFrog Artifactory keys and reference tokens",
        "AKCp|cmVmdGtuOj",
        "[0-9A-Za-z+/=]{50,80}",
        "AKCp" + ALNUM[:69],
        check=ALONE,
    ),
    issued("sonar-token", "SonarQube tokens", "sq[uap]_", "[0-9a-f]{40}", "sqp_" + HEX[:40], check=ALONE),
    issued(
        "circleci-token",
        "CircleCI tokens",
        "CCI(?:PAT|PRJ)_",
        "[0-9A-Za-z]{20,24}_[0-9a-f]{40}",
        "CCIPAT_" + ALNUM[:22] + "_" + HEX[:40],
    ),
    issued("buildkite-token", "Buildkite tokens", "bk(?:ua|aj|ct|pi)_", "[0-9a-z]{40,80}", "bkua_" + LOWER[:40]),
    issued(
        "sourcegraph-token",
        "Sourcegraph tokens",
        "sgp_",
        "(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40}",
        "sgp_" + HEX[:40],
        check=ALONE,
    ),
    issued(
        "snyk-token",
        "Snyk tokens",
        r"snyk_[a-z]{3}\.",
        r"[0-9a-f]{8}\.[0-9A-Za-z_-]{16,120}(?:\.[0-9A-Za-z_-]{10,120})?",
        "snyk_uat." + HEX[:8] + "." + ALNUM[:60] + "." + ALNUM[:20],
    ),
    issued("octopus-key", "Octopus Deploy keys", r"\bAPI-", "[0-9A-Z]{25,32}", "API-" + UPPER[:26], check=machine_made),
    issued(
        "jenkins-token",
        "Jenkins API tokens: version 11 and 32 hex digits",
        r"\b11",
        "[0-9a-f]{32}",
        "11" + HEX[:32],
        check=machine_made,
        cue=r"\b11[0-9a-f]{32}\b",
        counter_examples=("11d778bf6c1944cf368dbdec203822fb2f00",),
    ),
    issued(
        "postman-key",
        "Postman keys",
        "PMAK-",
        "[0-9a-f]{24}-[0-9a-f]{34}",
        "PMAK-" + HEX[:24] + "-" + HEX[:34],
    ),
    issued(
        "harness-token",
        "Harness tokens",
        r"(?:pat|sat)\.[0-9A-Za-z_-]{22}\.",
        r"[0-9a-f]{24}\.[0-9A-Za-z]{20}",
        "pat." + ALNUM[:22] + "." + HEX[:24] + "." + ALNUM[:20],
        cue=r"[ps]at\.[0-9A-Za-z_-]{22}\.",
    ),
    issued("deno-token", "Deno Deploy tokens", "dd[pwo]_", "[0-9A-Za-z]{36}", "ddp_" + ALNUM[:36], check=machine_made),
    issued("readme-key", "ReadMe keys", "rdme_", "[0-9a-z]{70}", "rdme_" + LOWER[:70], check=ALONE_BASE64),
    issued(
        "scalingo-token", "Scalingo tokens", "tk-us-", "[0-9A-Za-z_-]{48}", "tk-us-" + ALNUM[:48], check=machine_made
    ),
)
