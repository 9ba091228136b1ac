"""What must survive a restart: previews, orders, the trail."""
