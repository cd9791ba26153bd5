"""The person detector: YOLOv3-SPP from its darknet file to boxes of people."""
