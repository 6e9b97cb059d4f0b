"""The sans-io heart of one link: frames + time + plan -> actions."""
