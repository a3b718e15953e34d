"""Shows charge points on an MQTT broker and takes commands from it; see docs/plugins/mqtt.md."""

from __future__ import annotations

from mcpp.plugins.builtin.mqtt.plugin import Mqtt
from mcpp.plugins.builtin.mqtt.settings import MqttSettings

__all__ = ["Mqtt", "MqttSettings"]
