/*
 * Files in STATE_DIR belong to its owner, the service's user.  A command that root runs there must not leave files that the service cannot
 * write; so what root makes is given away at once.
 */
#ifndef SOUK_CORE_OWNER_H
#define SOUK_CORE_OWNER_H

/*
 * Give the open file or folder to the owner of the folder that path lies in.  Does nothing for anybody but root, and nothing when
 * the folder cannot be looked at.  fd < 0 is allowed and ignored.
 */
void owner_as_folder(int fd, const char *path);

#endif
