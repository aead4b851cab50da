"""Tokens of language models and of what their agents call."""

from __future__ import annotations

from collector_processor.stages.redact.rules.issued import (
    ALNUM,
    ALONE,
    HEX,
    LETTERS,
    LOWER,
    UPPER,
    issued,
    machine_made,
)

RULES = (
    issued(
        "openai-key",
        "OpenAI, Anthropic, OpenRouter, DeepSeek keys: `sk-…`",
        r"\bsk-",
        "(?:proj-|svcacct-|admin-|ant-|or-|lf-)?[0-9A-Za-z_-]{20,250}",
        "sk-" + ALNUM[:40],
        check=machine_made,
        word="[api-key]",
        counter_examples=("sk-ip-to-the-next-element-of-the-list",),
    ),
    issued(
        "huggingface-token",
        "Hugging Face tokens",
        "hf_|api_org_",
        "[0-9A-Za-z]{34,40}",
        "hf_" + LETTERS[:34],
        check=ALONE,
    ),
    issued("replicate-token", "Replicate tokens", "r8_", "[0-9A-Za-z]{37,40}", "r8_" + ALNUM[:37], check=ALONE),
    issued("groq-key", "Groq keys", "gsk_", "[0-9A-Za-z]{48,56}", "gsk_" + ALNUM[:52], check=ALONE),
    issued("perplexity-key", "Perplexity keys", "pplx-", "[0-9A-Za-z]{48,56}", "pplx-" + ALNUM[:48], check=ALONE),
    issued("xai-key", "xAI keys", "xai-", "[0-9A-Za-z]{70,90}", "xai-" + ALNUM[:80], check=ALONE),
    issued(
        "langsmith-key",
        "LangSmith keys",
        "lsv2_(?:pt|sk)_",
        "[0-9a-f]{32}_[0-9a-f]{10}",
        "lsv2_pt_" + HEX[:32] + "_" + HEX[:10],
        check=ALONE,
    ),
    issued("pinecone-key", "Pinecone keys", "pcsk_", "[0-9A-Za-z_]{50,90}", "pcsk_" + ALNUM[:70], check=ALONE),
    issued("nvidia-key", "NVIDIA keys", "nvapi-", "[0-9A-Za-z_-]{60,80}", "nvapi-" + ALNUM[:64]),
    issued(
        "elevenlabs-key",
        "ElevenLabs keys",
        r"\bsk_",
        "[0-9a-f]{48}",
        "sk_" + HEX[:48],
        check=ALONE,
        cue=r"\bsk_[0-9a-f]{8}",
    ),
    issued("fireworks-key", "Fireworks keys", r"\bfw_", "[0-9A-Za-z]{22,28}", "fw_" + ALNUM[:24], check=machine_made),
    issued("cerebras-key", "Cerebras keys", "csk-", "[0-9a-z]{45,60}", "csk-" + LOWER[:48], check=machine_made),
    issued(
        "tavily-key",
        "Tavily keys",
        "tvly-",
        "(?:dev-|prod-)?[0-9A-Za-z]{28,40}",
        "tvly-dev-" + ALNUM[:32],
    ),
    issued("firecrawl-key", "Firecrawl keys", r"\bfc-", "[0-9a-f]{32}", "fc-" + HEX[:32], cue=r"\bfc-[0-9a-f]{8}"),
    issued("together-key", "Together keys", "tgp_v1_", "[0-9A-Za-z_-]{43}", "tgp_v1_" + ALNUM[:43]),
    issued("voyage-key", "Voyage keys", r"\bpa-", "[0-9A-Za-z_-]{43}", "pa-" + ALNUM[:43], check=machine_made),
    issued("jina-key", "Jina keys", "jina_", "[0-9a-f]{32}[0-9A-Za-z_-]{28}", "jina_" + HEX[:32] + ALNUM[:28]),
    issued("runpod-key", "RunPod keys", "rpa_", "[0-9A-Z]{40,50}", "rpa_" + UPPER[:44], check=machine_made),
    issued("e2b-key", "E2B keys", "e2b_", "[0-9a-f]{40}", "e2b_" + HEX[:40], check=ALONE),
)
