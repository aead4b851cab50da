from __future__ import annotations

ROOT_URLCONF = "django_app"
ALLOWED_HOSTS = ["*"]
SECRET_KEY = "not secret"
LOGGING_CONFIG = None
MIDDLEWARE = ["otel_errors.middleware.django.ErrorMiddleware", "django_app.inner"]
