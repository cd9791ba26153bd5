pytest_plugins = ["modelzoo.common.testing.plugin"]
