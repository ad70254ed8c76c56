-- Changes of the shop's data are told here; see souk.tell_change().
LISTEN souk_changes
