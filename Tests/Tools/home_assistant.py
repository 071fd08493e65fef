#!/usr/bin/env python3
"""Home Assistant itself, as a witness of what it makes of our discovery messages.

    home_assistant.py PORT FOLDER

Starts Home Assistant's core with its MQTT integration on a broker at 127.0.0.1:PORT, with FOLDER for
its files. Three times a second it prints one line of JSON: the devices and entities that it has, with
their states, and the warnings that it logged. SIGTERM ends it.

It wants Home Assistant 2025.4, which build.sh installs from PyPI where there is a Python 3.13; elsewhere the
test that uses it is left out. Of what Home Assistant depends on, only what its MQTT integration imports is
needed: home-assistant.txt.
"""

import asyncio
import contextlib
import json
import logging
import pathlib
import signal
import sys
from types import MappingProxyType

from homeassistant import config_entries, core, loader
from homeassistant.helpers import (
    area_registry, category_registry, device_registry, entity, entity_registry, floor_registry,
    frame, issue_registry, label_registry, restore_state, template, translation)

port, folder = int(sys.argv[1]), sys.argv[2]


class Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")


def picture(hass: core.HomeAssistant, warnings: Warnings) -> dict:
    entities = {}
    for entry in entity_registry.async_get(hass).entities.values():
        state = hass.states.get(entry.entity_id)
        entities[entry.unique_id] = {
            "entity_id": entry.entity_id,
            "category": entry.entity_category,
            "state": state.state if state else None,
            "attributes": {name: str(value) for name, value in state.attributes.items()} if state else {},
        }
    devices = [
        {"name": each.name, "model": each.model, "sw_version": each.sw_version}
        for each in device_registry.async_get(hass).devices.values()
    ]
    return {"devices": devices, "entities": entities, "warnings": warnings.lines}


async def main() -> None:
    warnings = Warnings()
    logging.getLogger("homeassistant.components").addHandler(warnings)
    logging.getLogger("homeassistant.helpers.template").addHandler(warnings)
    pathlib.Path(folder, "configuration.yaml").touch()
    hass = core.HomeAssistant(folder)
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    # What its bootstrap does, without the integrations that it would bring.
    for module in [entity, frame, template, translation]:
        module.async_setup(hass)
    for module in [
        area_registry, category_registry, device_registry, entity_registry, floor_registry,
        issue_registry, label_registry, restore_state,
    ]:
        await module.async_load(hass)
    await hass.config_entries.async_initialize()
    entry = config_entries.ConfigEntry(
        version=1, minor_version=2, domain="mqtt", title="broker", source="user", unique_id=None,
        data={"broker": "127.0.0.1", "port": port, "protocol": "5"},
        options={}, discovery_keys=MappingProxyType({}), subentries_data=None)
    # Uploads and web pages are of no use here.
    hass.config.components.update({"http", "file_upload"})
    await hass.config_entries.async_add(entry)
    await hass.async_start()
    ended = asyncio.Event()
    hass.loop.add_signal_handler(signal.SIGTERM, ended.set)
    while not ended.is_set():
        print(json.dumps(picture(hass, warnings)), flush=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), 0.3)
    await hass.async_stop(force=True)


asyncio.run(main())
