"""What all tests share. The harness comes as a plugin: see harness/plugin.py."""
