"""WMI as the CIM cmdlets see it: classes, WQL, methods, and the cmdlets themselves."""
