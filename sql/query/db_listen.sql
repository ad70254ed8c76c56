-- Changes of tokens and settings are told here; see souk.notify_change().
LISTEN souk
