"""The world, translated: files, sockets, clocks and other people's libraries behind our ports."""
