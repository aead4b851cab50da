from __future__ import annotations

ROOT_URLCONF = "django_app"
ALLOWED_HOSTS = ["*"]
SECRET_KEY = "not secret"
MIDDLEWARE = ["django_app.Middleware"]
