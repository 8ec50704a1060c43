/* Between guest.c and the part of each guest architecture: what the one needs of the other. */
#ifndef GUEST_H
#define GUEST_H

/* Sends a byte to the console. */
void send(char byte);
/* Ends the machine; 0 is success. */
_Noreturn void leave(int code);

#endif
