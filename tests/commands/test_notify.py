"""`notify --test`: alerts can be tried before they are needed."""

from __future__ import annotations


def test_alerts_can_be_tried(bench, tmp_path):
    told = tmp_path / "told.txt"
    alerts = f'\n[alerts]\ncommand = ["/bin/sh", "-c", "cat > {told}; env >> {told}"]\n'
    bench.write_config(lambda text: text + alerts)
    tried = bench.run("notify", "--test", "--json")
    assert tried.code == 0, tried.err
    assert tried.json["alerts"] == [{"channel": "command /bin/sh", "fault": None}]
    text = told.read_text()
    assert "test of the alerts" in text
    assert "PLEXSTEDI_" not in text


def test_an_alert_that_does_not_work_is_4_and_says_why(bench):
    bench.write_config(lambda text: text + '\n[alerts]\ncommand = ["/bin/sh", "-c", "echo no relay >&2; exit 3"]\n')
    failed = bench.run("notify", "--test", "--json")
    assert failed.code == 4
    assert "no relay" in failed.json["error"]["message"]


def test_notify_without_anything_configured_or_asked_says_so(bench):
    assert bench.run("notify").code == 2
    nothing = bench.run("notify", "--test")
    assert nothing.code == 4
    assert "[alerts.email]" in nothing.err
