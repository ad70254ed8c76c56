/* The response under construction; only lib/web looks inside. */
#ifndef SOUK_WEB_RES_H
#define SOUK_WEB_RES_H

#include "core/buf.h"

struct res {
	struct buf headers;	/* complete lines "Name: value\r\n" */
	int status;		/* 0 until sent */
	bool streaming;
	bool broken;		/* the peer has left */
};

#endif
