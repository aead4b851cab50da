"""What must go, in the notations of many languages, and what only looks like it."""

from __future__ import annotations

import pytest

from collector_processor.stages.redact import Redactor

REDACTOR = Redactor(strict=True)

GO = r"""
login(user="bob", password="hunter2")
{"user":"bob","password":"hunter2","x":1}
{'password': 'hunter2', 'x': 1}
?password=hunter2
for url: https://api.example.com/v2/items?access_token=hunter2.abc&x=1
password: hunter2
  password: hunter2
passwd=hunter2
PGPASSWORD=hunter2 psql -h db
MYSQL_PWD=hunter2
environ({'DB_PASSWORD': 'hunter2', 'HOME': '/root'})
GET /login?user=bob&password=hunter2 HTTP/1.1
user=bob&password=hunter2&submit=1
X-Api-Key: hunter2abc
--password=hunter2 --verbose
--password hunter2 --verbose
-password hunter2
{password: 'hunter2', user: 'bob'}
{ password: "hunter2" }
Config { user: "bob", password: "hunter2" }
{User:bob Password:hunter2}
&{Host:db Password:hunter2 Port:3}
{password=hunter2, user=bob}
Login[user=bob, password=hunter2]
#<User id: 1, password: "hunter2">
{:password=>"hunter2", :user=>"bob"}
{"password"=>"hunter2"}
[password] => hunter2
["password"]=> string(7) "hunter2"
'password' => 'hunter2',
<password>hunter2</password>
<add key="Password" value="hunter2"/>
<QueryDict: {'password': ['hunter2'], 'csrfmiddlewaretoken': ['hunter2abcdef']}>
password=hunter2;user=bob
Server=x;Pwd=hunter2;
password = hunter2
password = "hunter2"
Password:hunter2
the password is hunter2
your password was hunter2.
wrong password 'hunter2'
password 'hunter2' rejected
invalid password: hunter2
Invalid token: hunter2abc99
{\"password\":\"hunter2\"}
{"body":"{\"password\":\"hunter2\",\"x\":1}"}
"{\\\"password\\\":\\\"hunter2\\\"}"
curl -H "X-Api-Key: hunter2abc" https://x
curl -u bob:hunter2 https://x
headers={'Authorization': 'Bearer hunter2abc', 'Accept': '*/*'}
Authorization: Bearer hunter2abc
authorization=Bearer hunter2abc
Authorization: Basic aHVudGVyMjpodW50ZXIy
Authorization: hunter2abcdef
Proxy-Authorization: Basic aHVudGVyMjpodW50ZXIy
Authorization: Digest username="bob", realm="x", response="hunter2"
Authorization: AWS4-HMAC-SHA256 Credential=AKIA/2020/us/s3/aws4_request, SignedHeaders=host, Signature=hunter2
[('authorization', 'Bearer hunter2abc'), ('host', 'x')]
Cookie: session=hunter2; a=b
Set-Cookie: session=hunter2; Path=/
cookie: "session=hunter2"
mysql://root:hunter2@db/x
redis://:hunter2@db/x
amqps://u:hunter2@mq:5671/%2f
jdbc:postgresql://db/x?user=bob&password=hunter2
DATABASE_URL=postgres://u:hunter2@db/x
ftp://bob:hunter2@ftp.example.com
could not connect to https://bob:hunter2@host:80/path?x=1
process.env.DB_PASSWORD='hunter2'
ENV: SECRET_KEY=hunter2abc DEBUG=1
SECRET_KEY = 'hunter2abc'
client_secret=hunter2abc
"clientSecret": "hunter2abc"
refresh_token=hunter2abc
{"refreshToken":"hunter2abc"}
access_token: hunter2abc
token=hunter2abc
?api_key=hunter2abc&x=1
?apikey=hunter2abc
?sig=hunter2abcHUNTER%2Fabcdef%3D&se=2024
CREATE USER bob WITH PASSWORD 'hunter2'
IDENTIFIED BY 'hunter2'
sshpass -p hunter2 ssh x
password=pässwörd-hunter2
password="pass phrase hunter2 x"
password=“hunter2”
password='hun\'ter2'
bob:hunter2@tcp(db:3306)/x
<input type="password" value="hunter2">
passphrase: hunter2
pin=4821
cvv: 737
otp=123456
PWD=hunter2pw
password = 'hunter2' # x
msg password:hunter2,user:bob
{"pass":"hunter2"}
smtp_pass=hunter2
$password = "hunter2";
$this->password = 'hunter2'
@password='hunter2'
password="hunter2
password='hunter2
{"password":"hunter2
password=[hunter2]
"password": ["hunter2"]
password%3Dhunter2%26x
x-amz-security-token: hunter2abcdef
x-amz-signature=hunter2abcdef
set PASSWORD=hunter2
export TOKEN=hunter2abc
private_key_passphrase=hunter2
""".strip("\n").split("\n")

STAY = r"""
invalid password
Invalid password for user 12
password must be 8 characters
Password must contain at least one digit
password: must be at least 8 characters
token expired
Token expired at 2024-01-01
token has expired
Unexpected token < in JSON at position 0
SyntaxError: Unexpected token '}', "{"a":}" is not valid JSON
unexpected token: '}'
password=None
password=null
password: str
def connect(host: str, password: str = None, token: Optional[str] = None):
password: Optional[str] = None
TypeError: login() got an unexpected keyword argument 'password'
TypeError: login() missing 1 required positional argument: 'password'
KeyError: 'password'
KeyError: 'api_key'
password authentication failed for user "bob"
FATAL: password authentication failed for user "app"
secret not found
could not find secret "db-creds"
Authentication failed
Authorization header missing
Authorization: missing
The token is invalid
The token is expired
token is not valid: signature mismatch
CSRF token missing or incorrect.
bearer token required
Bearer authentication
basic auth failed
"password": null
"password": ""
password=""
password=''
passwordResetRequired=true
password_changed_at=2024-01-01
token_count=512 max_tokens=4096
tokens: 512
total_tokens: 512
author: Bob
authors=Ann
authority=high
secretary=Ann
keyboard=qwerty
key=value
primary_key=12
foreign key constraint fails
duplicate key value violates unique constraint "users_email_key"
    at Tokenizer.next (tokenizer.js:12:5)
    at PasswordHasher.hash (/app/src/password.ts:12:5)
    at com.shop.auth.TokenService.verify(TokenService.java:88)
  File "/srv/app/auth/password.py", line 3, in check_password
com.shop.Order@1b2c3d4e
lodash@4.17.21
@scope/name
node_modules/@babel/core/lib/index.js:12
fn@https://x.com/app.js:1:2
fn@app.js:1:2
user@localhost
git@github.com:org/repo.git
0x7f8a9c0d1e2f
550e8400-e29b-41d4-a716-446655440000
2024-01-02T03:04:05.123456Z
1700000000000
1700000000000000000
order 4111111111111112
version 1.2.3.4
sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
password length is 8
password: 8 characters minimum
minimum password length: 8
passwords do not match
Password does not match
password=%s
password={password}
password=${PASSWORD}
password=<redacted>
password=[FILTERED]
password=********
password=xxxxx
Cannot read properties of undefined (reading 'token')
AttributeError: 'NoneType' object has no attribute 'token'
error parsing token: invalid character
auth: failed
--password option is required
unknown option --token
the --password flag must be given
pass: 3, fail: 2
passed: 3
compass=north
bypass: true
session_id=12345
user_id=12345
trace_id=4bf92f3577b34da6a3ce929d0e0e4736
Secret: not found
secretRef: db-creds
tokenizer=bert
cookie: expired
cookies are disabled
pin: 13
code=404
status_code: 500
error code: 1045
zip code: 12345
(1045, "Access denied for user 'app'@'localhost' (using password: YES)")
using password: NO
ORA-01017: invalid username/password; logon denied
Token: expected ';'
expected token: ')'
Missing required field: password, email
fields: password, token
['username', 'password', 'email']
PWD=/code/shop HOME=/root
OLDPWD=/srv/app
connection to server at "db", port 5432 failed: FATAL: password authentication failed for user "shop"
redis.exceptions.AuthenticationError: invalid username-password pair or user is disabled.
<Response [401]> {'error': 'invalid_token', 'error_description': 'The access token expired'}
undefined method `password' for nil:NilClass
print("shlex: raw token=" + repr(result))
the header 'Cookie:' is missing on `Request`
if token == "with" and (
token = Name.Namespace
token = token[:-1]
password=parts['password'],
cookies: CookieTypes | None = None,
password: Optional[HiddenText] = None
credentials=None):
["Cookies", "Headers", "Request"]
format for a Set-Cookie header.  The one
pass :paramref:`x` to
.. _`RFC6749#Authorization`: https://tools.example.org/html/rfc6749
{"password": ["This field is required."], "token": "invalid"}
INSERT INTO users (name, password) VALUES (?, ?)
SELECT password FROM users WHERE token = ?
SELECT * FROM users WHERE token = $1
password = :password
git@gitlab.com:group/project
ssh://git@github.com/o/r
/home/token/secret.txt
secret: /run/secrets/db
open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file
--password-file /x/y
java.lang.IllegalArgumentException: Invalid JWT token
io.jsonwebtoken.ExpiredJwtException: JWT expired at 2024
password (hidden)
http://user@host/
    token: string;
private token: string
{ token: Token, password: Password }
const password = req.body.password
let token = await getToken()
var secret = process.env.SECRET;
if password == expected:
password != confirm
token->type
Token::new
x.password
self.token
app.config['SECRET_KEY']
os.environ["API_KEY"]
""".strip("\n").split("\n")


@pytest.mark.parametrize("text", GO)
def test_the_secret_goes_and_nothing_else_is_lost(text: str) -> None:
    clean, redactions = REDACTOR.text(text)
    assert "hunter2" not in clean
    assert "aHVudGVy" not in clean
    assert redactions
    taken = sum(one.end - one.start for one in redactions)
    assert taken <= 120
    assert REDACTOR.text(clean) == (clean, ())


@pytest.mark.parametrize("text", STAY)
def test_the_look_alike_stays(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


@pytest.mark.parametrize(
    "line",
    [
        "authenticate(user, password=password)",
        "client = Client(token=tok, api_key=key)",
        "session.login(password=form_value, timeout=3)",
        "y = x@self.weight + bias@other.data",
        "password = prompt",
    ],
)
def test_an_identifier_on_a_source_line_is_no_value(line: str) -> None:
    trace = (
        f'Traceback (most recent call last):\n  File "/srv/shop/auth.py", line 3, in login\n    {line}\nValueError: no'
    )
    assert REDACTOR.text(trace) == (trace, ())
    marked = f"error in\n    {line}\n    ^^^^^^^^^^\nValueError: no"
    assert REDACTOR.text(marked) == (marked, ())


def test_a_literal_on_a_source_line_goes() -> None:
    trace = 'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    login(password="hunter2")\nValueError'
    assert REDACTOR.text(trace)[0] == trace.replace("hunter2", "[password]")


def test_several_in_one_text_in_order() -> None:
    text = "ann@example.com paid with 4111 1111 1111 1111, password=hunter2; then bob@example.com"
    clean, redactions = REDACTOR.text(text)
    assert clean == "[email] paid with [card], password=[password]; then [email]"
    assert [text[one.start : one.end] for one in redactions] == [
        "ann@example.com",
        "4111 1111 1111 1111",
        "hunter2",
        "bob@example.com",
    ]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("карта ４１１１１１１１１１１１１１１１ 😀", "карта [card] 😀"),
        ("card 4111\u00a01111\u00a01111\u00a01111", "card [card]"),
        ("card 4111–1111–1111–1111", "card [card]"),
        ("“ann@example.com”", "“[email]”"),
        ("password: „hunter2“", "password: „[password]“"),
        ("password='пароль1'", "password='[password]'"),
        ("почта: ann@example.com😀", "почта: [email]😀"),
    ],
)
def test_typographic_disguises(text: str, clean: str) -> None:
    assert REDACTOR.text(text)[0] == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("POST /login user=ann&password=password&next=/", "POST /login user=ann&password=[redacted]&next=/"),
        ("GET /v2/items?access_token=abcdef.ghi&x=1", "GET /v2/items?access_token=[token]&x=1"),
        ("token=abcdefgh", "token=[token]"),
        ("?password=secret", "?password=[password]"),
        ('{"password": "secret"}', '{"password": "[password]"}'),
        ("https://ann:secret@example.com/", "https://ann:[password]@example.com/"),
        ('{"pin": 4821, "otp": "123456"}', '{"pin": [pin], "otp": "[pin]"}'),
        ("api key: 0a1b2c3d", "api key: [key]"),
    ],
)
def test_weak_secrets_go_too(text: str, clean: str) -> None:
    assert REDACTOR.text(text)[0] == clean
