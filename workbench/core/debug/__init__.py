"""Modes that look at what functions do: DebugMode, NanGuardMode, MonitorMode, ProfileMode."""
