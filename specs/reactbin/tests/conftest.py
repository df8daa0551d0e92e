import pytest

REQUIRED = {
    "JWT_SECRET_KEY": "a key that is long enough for HMAC-SHA-256",
    "OWNER_USERNAME": "the owner",
    "OWNER_PASSWORD": "correct horse",
    "DATABASE_URL": "postgresql://reactbin@db/reactbin",
    "S3_ENDPOINT_URL": "http://s3:9000",
    "S3_BUCKET_NAME": "pictures",
    "S3_ACCESS_KEY_ID": "key of reactbin",
    "S3_SECRET_ACCESS_KEY": "a secret",
    "S3_REGION": "eu-central-1",
}


@pytest.fixture
def environment() -> dict[str, str]:
    return dict(REQUIRED)
