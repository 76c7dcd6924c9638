"""The reference inference service: the service under test that the suites are proven on."""
