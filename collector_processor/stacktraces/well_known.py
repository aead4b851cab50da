"""Runtimes, frameworks and libraries by the names that languages print which print no path."""

from __future__ import annotations

from typing import Final


def _each(*lines: str) -> tuple[str, ...]:
    return tuple(word for line in lines for word in line.split())


def _by_first(*beginnings: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for beginning in beginnings:
        first = beginning.partition(".")[0]
        found[first] = (*found.get(first, ()), beginning)
    return found


JVM_BY_FIRST: Final = _by_first(
    *(
        f"{package}."
        for package in _each(
            "_COROUTINE akka android androidx arrow brave cats ch.qos.logback clojure co.elastic co.touchlab",
            "com.amazonaws com.android com.clickhouse com.datastax com.fasterxml com.github.benmanes com.google.api",
            "com.google.cloud com.google.common com.google.firebase com.google.gson com.google.inject",
            "com.google.protobuf com.hazelcast com.intellij com.jayway com.microsoft.sqlserver com.mongodb",
            "com.mysql com.netflix com.newrelic com.rabbitmq com.squareup com.sun com.twitter com.typesafe",
            "com.zaxxer dagger dalvik datadog doobie feign freemarker fs2 groovy io.grpc io.helidon",
            "io.jaegertracing io.ktor io.lettuce io.micrometer io.micronaut io.netty io.opentelemetry",
            "io.opentracing io.prometheus io.quarkus io.reactivex io.sentry io.smallrye io.undertow io.vavr",
            "io.vertx jakarta java javassist javax jdk junit kotlin kotlinx liquibase lombok net.bytebuddy",
            "net.sf.cglib okhttp3 okio oracle org.apache org.aspectj org.codehaus org.eclipse org.ehcache",
            "org.elasticsearch org.flywaydb org.glassfish org.gradle org.h2 org.hibernate org.hsqldb org.http4s",
            "org.jboss org.jetbrains org.joda org.jooq org.json org.junit org.koin org.mariadb org.mockito",
            "org.mongodb org.mortbay org.mybatis org.neo4j org.opensearch org.postgresql org.quartz",
            "org.reactivestreams org.redisson org.scalatest org.slf4j org.springframework org.sqlite org.testng",
            "org.thymeleaf org.wildfly org.xerial org.xml org.yaml play reactor redis.clients retrofit2 rx scala",
            "scalaz slick software.amazon.awssdk sttp sun sunw worker.org.gradle zio zipkin2",
        )
    ),
)
"""Beginnings of qualified names, by their first part: a program has thousands of names to compare."""

DOTNET: Final = (
    "lambda_method",
    "(wrapper",
    *(
        f"{namespace}."
        for namespace in _each(
            "Amazon Autofac AutoMapper Azure Castle Confluent Dapper Elastic FluentValidation FSharp Google Grpc",
            "Hangfire IdentityServer4 LanguageExt log4net MassTransit MediatR Microsoft MongoDB Mono MS MySql",
            "MySqlConnector Newtonsoft NHibernate Ninject NLog Npgsql NServiceBus NUnit OpenTelemetry Oracle",
            "Orleans Polly Quartz RabbitMQ Refit RestSharp Sentry Serilog StackExchange Swashbuckle System Unity",
            "Windows Xunit xunit",
        )
    ),
)
"""Beginnings of qualified names."""

PHP: Final = tuple(
    f"{namespace}."
    for namespace in _each(
        "Amp CakePHP Cake Carbon CodeIgniter Composer Doctrine Drupal.Core FastRoute GraphQL GuzzleHttp Illuminate",
        "Laminas Laravel League Livewire Mockery Monolog Nette Nyholm OpenTelemetry PDO PHPUnit PhpAmqpLib Predis Psr",
        "Ramsey React Revolt Slim Spatie Symfony Twig Yiisoft Zend yii",
    )
)
"""Beginnings of qualified names, as OpenTelemetry's SDK writes them."""

ELIXIR: Final = frozenset(
    _each(
        "absinthe amqp bandit broadway brod cachex cowboy db_connection ecto ecto_sql elixir ex_unit finch flow",
        "gen_stage gettext hackney httpoison iex jason kernel logger mint mix nimble_options nimble_pool oban",
        "opentelemetry opentelemetry_api opentelemetry_cowboy opentelemetry_ecto opentelemetry_phoenix phoenix",
        "phoenix_live_view plug plug_cowboy poison postgrex ranch redix req stdlib swoosh telemetry tesla",
        "thousand_island timex",
    )
)
"""OTP applications."""

ERLANG: Final = _each(
    "gen_server: gen_statem: proc_lib: erlang: lists: maps: erl_eval: :erlang. :proc_lib. :gen_server. :lists. :maps."
)
"""Modules: Erlang prints no application."""
