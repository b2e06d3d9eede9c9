"""The only importers of `opentelemetry.sdk`: provider, views, readers, distro, exit."""
