"""Which keys name a secret: of attributes, JSON, headers, query strings, environment dumps, keyword arguments.

A key is split into words (``dbPassword``, ``DB_PASSWORD``, ``db.password`` are one) and its *last* word decides:
``password_file`` and ``token_count`` name no secret, ``reset_password_token`` names a token.
"""

from __future__ import annotations

from functools import lru_cache

from collector_processor.stages.redact.rule import vocabulary

PASSWORD = "password"  # noqa: S105 (names of kinds)
TOKEN = "token"  # noqa: S105
SECRET = "secret"  # noqa: S105
KEY = "key"
COOKIE = "cookie"
AUTHORIZATION = "authorization"
PIN = "pin"
SSN = "ssn"
SESSION = "session"

# The last word of a key is one of these …
WORDS: dict[str, frozenset[str]] = {
    PASSWORD: vocabulary(
        """password passwd passwords pass pw pwd passphrase passcode passwort kennwort senha contrasena contraseña
        motdepasse wachtwoord mdp pswd psw passw passwrd pword parola haslo sifre heslo pwds pgpass storepass keypass
        requirepass masterauth"""
    ),
    TOKEN: vocabulary("token jwt sig bearer"),
    SECRET: vocabulary("secret secrets credential credentials creds mnemonic totpsecret"),
    KEY: vocabulary("apikey accesskey secretkey privatekey accountkey authkey"),
    COOKIE: vocabulary(
        "cookie cookies setcookie sessionid jsessionid phpsessid sessid aspsessionid aspxauth xsrf csrf sid"
    ),
    AUTHORIZATION: vocabulary("authorization auth"),
    PIN: vocabulary("pin otp cvv cvc cvn tan totp mtan"),
    SSN: vocabulary("ssn"),
    SESSION: frozenset(),
}
# … or ends in one of these (``PGPASSWORD``, ``csrftoken``) …
ENDINGS: dict[str, tuple[str, ...]] = {
    PASSWORD: ("password", "passwd", "passphrase", "passwort", "kennwort", "userpwd", "dbpass", "userpass", "dbpwd"),
    TOKEN: ("token",),
    SECRET: ("secret",),
    KEY: ("apikey", "secretkey", "accesskey", "privatekey"),
}
# … or is "key", which alone names nothing, after one of these …
KEY_QUALIFIERS = vocabulary(
    """api access secret private auth account encryption decryption signing master iam shared storage subscription
    consumer app application client ssh license function host service deploy cipher aes rsa hmac webhook ingest
    ingestion integration admin root vault unseal instrumentation crypto fernet jwt token session cookie security
    write backup pgp gpg wireguard"""
)
# … or the last words together name a secret though the last alone does not.
PHRASES: dict[tuple[str, ...], str] = {
    ("asp", "net", "session", "id"): COOKIE,
    ("session", "id"): SESSION,
    ("sess", "id"): SESSION,
    ("sess",): SESSION,
    ("laravel", "session"): SESSION,
    ("rack", "session"): SESSION,
    ("play", "session"): SESSION,
    ("flask", "session"): SESSION,
    ("ci", "session"): SESSION,
    ("app", "session"): SESSION,
    ("session", "identifier"): SESSION,
    ("amz", "signature"): TOKEN,
    ("goog", "signature"): TOKEN,
    ("client", "assertion"): TOKEN,
    ("saml", "response"): TOKEN,
    ("saml", "assertion"): TOKEN,
    ("authorization", "code"): TOKEN,
    ("auth", "code"): TOKEN,
    ("seed", "phrase"): SECRET,
    ("recovery", "phrase"): SECRET,
    ("recovery", "code"): SECRET,
    ("backup", "code"): SECRET,
    ("connection", "password"): PASSWORD,
    ("security", "code"): PIN,
    ("verification", "code"): PIN,
    ("otp", "code"): PIN,
    ("mfa", "code"): PIN,
    ("one", "time", "code"): PIN,
    ("card", "code"): PIN,
    ("social", "security", "number"): SSN,
    ("mot", "de", "passe"): PASSWORD,
    ("client", "key", "data"): KEY,  # of a kubeconfig
    ("honeycomb", "team"): KEY,
    ("github", "pat"): TOKEN,
    ("gh", "pat"): TOKEN,
    ("gitlab", "pat"): TOKEN,
    ("azure", "pat"): TOKEN,
    ("devops", "pat"): TOKEN,
    ("devops", "ext", "pat"): TOKEN,
    ("ado", "pat"): TOKEN,
}
# These and numbers may follow without changing what is named.
FOLLOWERS = vocabulary(
    """confirm confirmation confirmed again repeat repeated new old current plain plaintext text value string raw hash
    hashed encrypted b b64 base base64 hex"""
)
# In front of the deciding word these make it a flag, a function or a state, not a carrier.
_NOT_AFTER = vocabulary(
    """is has no not without show hide require requires required need needs allow check verify validate get set hash
    invalid missing expired wrong bad incorrect unexpected expected min max len num count valid forgot parse generate
    create use uses unknown illegal"""
)
# Tokens that grant nothing: paging, cancelling, language models and lexers; the name of a strong-named assembly.
_HARMLESS_TOKENS = vocabulary(
    """page next continuation sync cancellation cancel stop start end eos bos pad unk mask sep cls special delimiter
    lookahead previous prev dedup key"""
)
_MAX_KEY = 256


def words(key: str) -> list[str]:
    """``X-Api-Key``, ``xApiKey``, ``X_API_KEY`` → ``["x", "api", "key"]``; trailing numbers stay words of their own."""
    found: list[str] = []
    start = 0
    previous = ""
    for position, character in enumerate(key):
        if not character.isalnum():
            if start < position:
                found.append(key[start:position])
            start = position + 1
        elif position > start:
            follows_lower = character.isupper() and not previous.isupper()
            starts_word = (
                previous.isupper() and character.islower() and position - 1 > start and key[position - 2].isupper()
            )
            if follows_lower or (character.isdigit() != previous.isdigit() and not previous.isdigit()):
                found.append(key[start:position])
                start = position
            elif starts_word:
                found.append(key[start : position - 1])
                start = position - 1
        previous = character
    if start < len(key):
        found.append(key[start:])
    return [word.lower() for word in found]


def bare_words(key: str) -> list[str]:
    """``words`` without what follows the deciding one: ``password2``, ``newPasswordConfirmation``."""
    parts = words(key[-_MAX_KEY:])
    while len(parts) > 1 and (parts[-1] in FOLLOWERS or parts[-1].isdigit()):
        parts.pop()
    return parts


@lru_cache(maxsize=4096)
def kind_of(key: str) -> str | None:
    """What the values under ``key`` are (one of the constants above), None when the key says nothing."""
    parts = bare_words(key)
    if not parts:
        return None
    if key == "session.id":
        return None  # OpenTelemetry's id of a session grants nothing
    for phrase, kind in PHRASES.items():
        if tuple(parts[-len(phrase) :]) == phrase:
            return kind
    last = parts[-1]
    before = parts[-2] if len(parts) > 1 else ""
    if last == "key":
        return KEY if before in KEY_QUALIFIERS and parts[-3:-1] != ["public", before] else None
    if last == "cookie":
        return COOKIE
    if last == "sid" and not before:
        return None  # a security or session identifier, who knows
    if before in _NOT_AFTER:
        return None
    for kind, nouns in WORDS.items():
        if last in nouns or last.endswith(ENDINGS.get(kind, ("\0",))):
            return None if kind == TOKEN and before in _HARMLESS_TOKENS else kind
    return None


def pattern_of(kind: str) -> str:
    """RE2 for the end of a key of this kind: every key that ``kind_of`` takes for it ends so (in any case)."""
    nouns = sorted(WORDS[kind]) + ["[_. -]?".join(phrase) for phrase, of in PHRASES.items() if of == kind]
    if kind == KEY:
        nouns.append(f"(?:{'|'.join(sorted(KEY_QUALIFIERS))})[_. -]?key")
    return rf"(?:{'|'.join(nouns)})(?:[_.-]?(?:{'|'.join(sorted(FOLLOWERS))}|\d{{1,4}})){{0,3}}"
