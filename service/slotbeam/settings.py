"""Environment → one frozen `Settings`. Read once, at start; every setting is in the README (tested)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting is `SLOTBEAM_<NAME>`; times are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix="SLOTBEAM_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="address that both planes listen on")
    port: int = Field(8000, ge=0, le=65535, description="data plane port (0: any free one)")
    admin_port: int = Field(8001, ge=0, le=65535, description="control plane port (0: any free one)")
    data_dir: Path = Field(Path("data"), description="store, tokens, last-known-good bindings, lock")
    artifact: Path = Field(Path("model_artifacts/demo"), description="artifact directory to serve")
    redis_url: str | None = Field(None, description="bindings store; unset: `up` starts an embedded one in the data directory")
    admin_token: SecretStr | None = Field(None, description="a token with every scope; unset: written to DATA_DIR/admin.token")
    replica_id: str | None = Field(None, description="this replica's name; unset: host name and process id")
    threads: int = Field(1, ge=1, le=64, description="onnxruntime intra-op threads per request")
    workers: int = Field(2, ge=1, le=64, description="requests decoded at the same time")
    queue: int = Field(64, ge=1, le=10_000, description="requests that may wait for a worker before 503")
    beam_width: int | None = Field(None, ge=1, le=1000, description="beam width B; unset: max(128, k)")
    body_limit: int = Field(1_048_576, ge=1024, description="largest accepted /retrieve body")
    admin_body_limit: int = Field(8_388_608, ge=1024, description="largest accepted admin body")
    max_bindings_per_query: int = Field(4, ge=0, le=16, description="pinned groups decoded for one query at most")
    log_level: str = Field("info", description="debug, info, warning or error")
