"""What runs WebNN on one machine: the embedded engine, the pump, the demo. Never part of a deployment."""
