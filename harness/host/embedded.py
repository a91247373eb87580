"""Embedded instances: CIM objects as text, for methods that take their new settings as a string.

The form is that of ``ManagementBaseObject.GetText(1)``: CIM-XML DTD 2.0.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from harness.host.wql import name


def setting_data(class_name: str, instance_id: str, changed: tuple[str, str, int]) -> str:
    """Return an instance with its InstanceID and the one property that changes.

    ``changed`` is (name, CIM type, number), as ``("LowMmioGapSize", "uint64", 1024)``.
    """
    instance = ET.Element("INSTANCE", CLASSNAME=name(class_name))
    _add(instance, "InstanceID", "string", instance_id)
    _add(instance, name(changed[0]), name(changed[1]), str(changed[2]))
    return ET.tostring(instance, encoding="unicode")


def _add(instance: ET.Element, property_name: str, cim_type: str, value: str) -> None:
    found = ET.SubElement(instance, "PROPERTY", NAME=property_name, TYPE=cim_type)
    ET.SubElement(found, "VALUE").text = value
