pytest_plugins = ["modelzoo.common.testing.plugin", "modelzoo.common.testing.cann"]
