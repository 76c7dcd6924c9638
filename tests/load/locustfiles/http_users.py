"""A locustfile as a user would write it: plain HTTP."""

from locust import HttpUser, constant, task


class Reader(HttpUser):
    """Reads one page, twenty times a second."""

    wait_time = constant(0.05)

    @task
    def read(self) -> None:
        """Get the page."""
        self.client.get("/page")
