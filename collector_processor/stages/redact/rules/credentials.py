"""Secrets by the name of their key, in every notation; the same keys, as attribute keys, take the whole value."""

from __future__ import annotations

from collections.abc import Sequence

from collector_processor.stages.redact import keyed, keys
from collector_processor.stages.redact.rule import Example, Rule


def _rule(name: str, replacement: str, what: str, examples: Sequence[Example], counter_examples: Sequence[str]) -> Rule:
    return Rule(
        name=name,
        replacement=replacement,
        what=what,
        pattern=keyed.pattern(keys.pattern_of(name)),
        cue=keyed.cue(keys.pattern_of(name)),
        check=keyed.carried(name, lambda key: keys.kind_of(key) == name),
        keys=tuple(sorted(keys.WORDS[name])),
        spreads=name != keys.PIN,
        shortest=3,
        examples=tuple(examples),
        counter_examples=tuple(counter_examples),
    )


RULES = (
    _rule(
        keys.AUTHORIZATION,
        "[authorization]",
        "`Authorization` values under their key: after a scheme that is kept (Bearer, Basic, Digest …) or alone",
        (
            Example("Authorization: Bearer 9f8a7b6c5d4e", "Authorization: Bearer [authorization]"),
            Example("Authorization: Bearer p$s!9F.qS7", "Authorization: Bearer [authorization]"),
            Example('{"Authorization": "Basic dXNlcjpwYXNz"}', '{"Authorization": "Basic [authorization]"}'),
            Example(
                "curl -H 'authorization: token 0a1b2c3d4e5f' https://api",
                "curl -H 'authorization: token [authorization]' https://api",
            ),
            Example(
                "map[Authorization:[Bearer 0a1b2c3d4e5f] Accept:[*/*]]",
                "map[Authorization:[Bearer [authorization]] Accept:[*/*]]",
            ),
            Example("(b'authorization', b'Bearer 0a1b2c3d4e5f')", "(b'authorization', b'Bearer [authorization]')"),
            Example('"auth": "dXNlcjpwYXNzd29yZA=="', '"auth": "[authorization]"'),
            Example("Bearer 9f8a7b6c5d4e", "[authorization]", "http.request.header.authorization"),
        ),
        (
            "Authorization failed for user 12",
            "authorization: required",
            "author=Ann",
            "auth: Bearer realm",
            'missing header "Authorization"',
            "Unsupported authorization scheme: Digest",
            "Authorization: Bearer",
            '{"auth": "oauth2"}',
        ),
    ),
    _rule(
        keys.COOKIE,
        "[cookie]",
        "`Cookie` and `Set-Cookie` headers and session ids that are cookies (`JSESSIONID`, `PHPSESSID`, `connect.sid`)",
        (
            Example("Cookie: sid=31d4d96e; theme=dark", "Cookie: [cookie]"),
            Example("'Set-Cookie': 'sid=31d4d96e; Path=/'", "'Set-Cookie': '[cookie]'"),
            Example("/cart;JSESSIONID=1A530637289A03B0", "/cart;JSESSIONID=[cookie]"),
            Example("/cart;jsessionid=1A530637289A03B0?page=2", "/cart;jsessionid=[cookie]?page=2"),
            Example("?PHPSESSID=g4i8dqr2wn49&page=2", "?PHPSESSID=[cookie]&page=2"),
            Example("sid=31d4d96e", "[cookie]", "http.request.header.cookie"),
        ),
        ("session_id 81 has ended", "cookie: expired", "Cookies are disabled", "session.id=7f3e"),
    ),
    _rule(
        keys.PASSWORD,
        "[password]",
        "values under a key whose last word is password, passwd, pwd, pass, passphrase … in every notation",
        (
            Example("login(user='ann', password='s3cr3t!')", "login(user='ann', password='[password]')"),
            Example('{"dbPassword": "hunter2", "port": 5432}', '{"dbPassword": "[password]", "port": 5432}'),
            Example('body={\\"password\\":\\"hunter2\\"}', 'body={\\"password\\":\\"[password]\\"}'),
            Example("DB_PASSWORD=p@ss,word HOME=/root", "DB_PASSWORD=[password] HOME=/root"),
            Example(
                "POST /login?user=ann&password=hunter2&next=%2F", "POST /login?user=ann&password=[password]&next=%2F"
            ),
            Example("mysqldump --password hunter2 shop", "mysqldump --password [password] shop"),
            Example(
                "Server=db;User Id=sa;Password=S3cr3t;Timeout=3", "Server=db;User Id=sa;Password=[password];Timeout=3"
            ),
            Example("<Password>hunter2</Password>", "<Password>[password]</Password>"),
            Example("User(name=ann, password=hunter2)", "User(name=ann, password=[password])"),
            Example("my password is hunter2 and", "my password is [password] and"),
            Example('Config { password: Some("hunter2") }', 'Config { password: Some("[password]") }'),
            Example("[password] => hunter2", "[password] => [password]"),
            Example('val password: String = "hunter2"', 'val password: String = "[password]"'),
            Example('var dbPassword string = "hunter2"', 'var dbPassword string = "[password]"'),
            Example('{user,"ann"},{password,"hunter2"}', '{user,"ann"},{password,"[password]"}'),
            Example('#{password => <<"hunter2">>}', '#{password => <<"[password]">>}'),
            Example("user%5Bpassword%5D=hunter2&x=1", "user%5Bpassword%5D=[password]&x=1"),
            Example("password: |\n  hunter2\nport: 1", "password: |\n  [password]\nport: 1"),
            Example('"password":\n  "hunter2"', '"password":\n  "[password]"'),
            Example("\x1b[36mpwd\x1b[0m=\x1b[35mhunter2\x1b[0m", "\x1b[36mpwd\x1b[0m=\x1b[35m[password]\x1b[0m"),
            Example("hunter2", "[password]", "db.password"),
        ),
        (
            "invalid password",
            "password must be 8 characters",
            "password: must be at least 8 characters",
            '{"password": ["This field is required."]}',
            "password=None",
            "def login(user: str, password: str) -> Session:",
            '  File "auth.py", line 3, in login\n    authenticate(user, password=password)\nValueError',
            "connect(password=settings.DB_PASSWORD)",
            "password=***** host=db",
            "PASSWORD=${DB_PASSWORD}",
            "password_file=/run/secrets/db",
            "passed=12 failed=3",
            "Wrong password: try again",
            "the password is incorrect",
            "password=com.shop.Secret@1b6d3586",
            "password: !vault |",
            "password string = os.Getenv",
            'val password: String = ""',
        ),
    ),
    _rule(
        keys.TOKEN,
        "[token]",
        "values under a key whose last word is token (access, refresh, csrf, auth …) or jwt; not paging tokens",
        (
            Example("GET /feed?token=a81fd0c2e9&page=2", "GET /feed?token=[token]&page=2"),
            Example('{"access_token":"a81fd0c2e9","expires_in":3600}', '{"access_token":"[token]","expires_in":3600}'),
            Example("X-Auth-Token: a81fd0c2e9", "X-Auth-Token: [token]"),
            Example("deploy --token=a81fd0c2e9", "deploy --token=[token]"),
            Example("r=%252Fcb%253Ftoken%253Da81fd0c2e9%2526x", "r=%252Fcb%253Ftoken%253D[token]%2526x"),
            Example("SET access_token = N'a81fd0c2e9'", "SET access_token = N'[token]'"),
        ),
        (
            "token expired",
            "SyntaxError: Unexpected token: punctuation",
            "Unexpected token } in JSON at position 4",
            "max_tokens=4096",
            "token_type=bearer",
            "nextToken=AAAAB3Nz",
            "invalid token: signature has expired",
            "token=get_token(request)",
        ),
    ),
    _rule(
        keys.SECRET,
        "[secret]",
        "values under a key whose last word is secret or credentials",
        (
            Example("client_secret=8Kq~v91", "client_secret=[secret]"),
            Example('"clientSecret" : "8Kq~v91"', '"clientSecret" : "[secret]"'),
        ),
        (
            "secret not found: db-main",
            "secretName: db-main",
            'kubernetes secret "db-main" not found',
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-Ab12Cd",
        ),
    ),
    _rule(
        keys.KEY,
        "[key]",
        "values under a key that ends in API key, access key, secret key, account key, private key …",
        (
            Example("X-Api-Key: 7f3e9a", "X-Api-Key: [key]"),
            Example('aws_secret_access_key = "wJalr/XUtnFEMI+K7"', 'aws_secret_access_key = "[key]"'),
            Example("--softlayer-api-key abcd1234", "--softlayer-api-key [key]"),
            Example(
                "AccountName=shop;AccountKey=Eby8vdM02xNOcqF==;EndpointSuffix=core",
                "AccountName=shop;AccountKey=[key];EndpointSuffix=core",
            ),
            Example("7f3e9a", "[key]", "x-api-key"),
            Example("next=%2Fcb%3Fapi_key%3D7f3e9a%26x", "next=%2Fcb%3Fapi_key%3D[key]%26x"),
            Example('"X-Api-Key":[]string{"7f3e9a"}', '"X-Api-Key":[]string{"[key]"}'),
        ),
        (
            "KeyError: 'api_key'",
            "primary_key=81",
            "public_key: ssh-ed25519 AAAAC3",
            "cache key: user:81",
            "Invalid API key",
        ),
    ),
    _rule(
        keys.PIN,
        "[pin]",
        "3 to 8 digits under a key PIN, OTP, CVV, CVC or security code",
        (Example("cvv=737&pan=", "cvv=[pin]&pan="), Example('"pin": "4821"', '"pin": "[pin]"')),
        ("status_code=404", "pin: none", "error code: 1234", "country_code=49"),
    ),
    _rule(
        keys.SESSION,
        "[session]",
        "session ids under a key that says so, of 16 characters or more; not OpenTelemetry's `session.id`",
        (
            Example("session_id=9f8a7b6c5d4e3f2a1b0c", "session_id=[session]"),
            Example('"sessionId": "s-9f8a7b6c5d4e3f2a"', '"sessionId": "[session]"'),
        ),
        ("session_id 81 has ended", "session.id=7f3e", "session_id=81"),
    ),
)
