"""Settings: defaults, the environment, and what is refused."""

from pathlib import Path

import pytest
from platformdirs import user_data_path

from studysmart import settings
from studysmart.errors import RefusedToStart


def test_the_default_data_folder_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """It does not depend on the working directory."""
    monkeypatch.delenv("STUDYSMART_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert user_data_path("studysmart") == settings.load().data_dir
    assert settings.load().data_dir.is_absolute()


def test_options_win_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The environment sets, an option overrides."""
    monkeypatch.setenv("STUDYSMART_PORT", "5001")
    monkeypatch.setenv("STUDYSMART_DATA_DIR", str(tmp_path))
    assert (5001, tmp_path) == (settings.load().port, settings.load().data_dir)
    assert 5002 == settings.load(port=5002).port


def test_a_relative_data_folder_is_refused(monkeypatch: pytest.MonkeyPatch):
    """The text names the variable and says why."""
    monkeypatch.setenv("STUDYSMART_DATA_DIR", "data")
    with pytest.raises(RefusedToStart, match=r"STUDYSMART_DATA_DIR.*absolute"):
        settings.load()


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch):
    """Whoever mends one setting should not meet the next only then."""
    monkeypatch.setenv("STUDYSMART_PORT", "seventy")
    monkeypatch.setenv("STUDYSMART_TRAIN_EVERY", "0")
    with pytest.raises(RefusedToStart) as refusal:
        settings.load()
    assert "STUDYSMART_PORT" in str(refusal.value)
    assert "STUDYSMART_TRAIN_EVERY" in str(refusal.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False)],  # noqa: S104
)
def test_loopback_is_recognised(host: str, loopback: bool):
    """Only this machine, or the network too."""
    assert loopback == settings.load(host=host).loopback


def test_host_names_are_read_from_a_list(monkeypatch: pytest.MonkeyPatch):
    """Separated by commas, as people write them."""
    monkeypatch.setenv("STUDYSMART_ALLOWED_HOSTS", "learn.example.org, school.example.org")
    assert ["learn.example.org", "school.example.org"] == settings.load().allowed_hosts


def test_a_level_of_logs_is_one_of_four_in_any_case(monkeypatch: pytest.MonkeyPatch):
    """An unknown one is refused at the start, by name, instead of failing later."""
    assert "WARNING" == settings.load(log_level="warning").log_level
    monkeypatch.setenv("STUDYSMART_LOG_LEVEL", "loud")
    with pytest.raises(RefusedToStart, match="STUDYSMART_LOG_LEVEL"):
        settings.load()
