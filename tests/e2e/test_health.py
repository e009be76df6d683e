"""The health check that ECS task definitions carry, word for word but for the port."""
import subprocess


def test_ecs_health_check(weft):
    port = weft().admin_port
    check = f"curl -s http://localhost:{port}/server_info | grep state | grep -q LIVE"
    done = subprocess.run(["sh", "-c", check], timeout=10)
    assert done.returncode == 0


def test_ready(weft):
    assert weft().get("/ready") == (200, "LIVE\n")
