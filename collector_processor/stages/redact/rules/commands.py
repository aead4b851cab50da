"""Secrets on command lines that no key announces: the arguments of known programs."""

from __future__ import annotations

from collections.abc import Sequence

from collector_processor.stages.redact import keys, values
from collector_processor.stages.redact.pattern import Match, Span
from collector_processor.stages.redact.rule import Example, Rule
from collector_processor.stages.redact.rules.statements import group_1


def _set(text: str, match: Match) -> Sequence[Span]:
    name, value = text[slice(*match[1])], text[slice(*match[2])]
    return (match[2],) if keys.kind_of(name) is not None and not values.is_nothing(value, quoted=False) else ()


RULES = (
    Rule(
        name="set-command",
        replacement="[secret]",
        spreads=True,
        what="`setenv DB_PASSWORD …`, `aws configure set aws_secret_access_key …`, `npm config set …:_authToken …`, "
        "`CONFIG SET requirepass …`",
        pattern=r"(?i)\b(?:setenv|config(?:ure)?[ \t]+set)[ \t]+([\w.:/-]{2,128})[ \t]+[\"']?([^\s\"'`]{3,512})",
        cue=r"(?i)\b(?:setenv|config(?:ure)?[ \t]+set)[ \t]",
        check=_set,
        examples=(
            Example("setenv DB_PASSWORD hunter2", "setenv DB_PASSWORD [secret]"),
            Example("CONFIG SET requirepass hunter2", "CONFIG SET requirepass [secret]"),
        ),
        counter_examples=("setenv DB_HOST hunter2", "setenv DB_PASSWORD $1"),
    ),
    Rule(
        name="command-password",
        replacement="[password]",
        spreads=True,
        what="`curl -u user:password`, `mysql -ppassword`, `sshpass -p`, `redis-cli -a`, `docker login -p` …",
        pattern=r"(?:\bcurl\b[^\n|;]{0,200}?[ \t](?:-u|--user|-U|--proxy-user)[ \t=]*[\"']?[^\s:\"']{1,64}:"
        r"|\bsshpass[ \t]+-p[ \t]*[\"']?"
        r"|\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump|mysqlimport)\b[^\n|;]{0,200}?[ \t]-p[\"']?"
        r"|\bredis-cli\b[^\n|;]{0,200}?[ \t]-a[ \t]*[\"']?"
        r"|\b(?:docker|podman|helm|az|cf|oc)[ \t](?:registry[ \t])?login\b[^\n|;]{0,200}?[ \t]-p[ \t]+[\"']?"
        r"|\b(?:mongo|mongosh|mongodump|mongorestore)\b[^\n|;]{0,200}?[ \t]-p[ \t]+[\"']?"
        r"|\bldap(?:search|modify|add|delete|passwd)\b[^\n|;]{0,200}?[ \t]-w[ \t]*[\"']?"
        r"|\bsqlcmd\b[^\n|;]{0,200}?[ \t]-P[ \t]*[\"']?"
        r"|\bsmbclient\b[^\n|;]{0,200}?[ \t]-U[ \t]*[\"']?[^\s%\"']{1,64}%"
        r"|\bhtpasswd[ \t]+-[A-Za-z]*b[A-Za-z]*[ \t]+\S{1,128}[ \t]+\S{1,64}[ \t]+"
        r"|\bnet[ \t]+use\b[^\n|;]{0,200}?[ \t]/user:\S{1,64}[ \t]+"
        r"|\bmachine[ \t]+\S{1,128}\s+login[ \t]+\S{1,64}\s+password[ \t]+"
        r"|\bpass(?:in|out)[ \t]+pass:)([^\s\"'`]+)",
        cue=r"\b(?:curl|sshpass|mysql|mysqldump|mysqladmin|mysqlimport|mariadb|mariadb-dump|redis-cli|login|mongo|mongosh"
        r"|mongodump|mongorestore|ldap[a-z]+|sqlcmd|smbclient|passin|passout|htpasswd|net[ \t]+use|machine)[ \t]+[^\n]",
        check=group_1,
        examples=(
            Example("curl -s -u ann:hunter2 https://api", "curl -s -u ann:[password] https://api"),
            Example("mysqldump -u root -phunter2 shop", "mysqldump -u root -p[password] shop"),
            Example("redis-cli -h cache -a hunter2 ping", "redis-cli -h cache -a [password] ping"),
            Example("sshpass -p hunter2 ssh ann@db", "sshpass -p [password] ssh ann@db"),
            Example(
                "machine api.example login ann password hunter2", "machine api.example login ann password [password]"
            ),
        ),
        counter_examples=("curl -u ann:$TOKEN_1 https://api", "curl -s https://api:8443/u", "mysql -u root -p shop"),
    ),
)
