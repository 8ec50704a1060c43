/* What guest.c needs of the machine that it runs on: one file for each architecture. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

/* Sends a byte over the serial port. */
void put(char byte);
void put_text(const char *text);
void put_hex(uint64_t value);

/* The machine's clock, in ten millionths of a second. */
uint64_t ticks(void);

/*
 * Forgets translations, as switching processes does. Without it QEMU's TLB would stay as small as it begins, for it
 * grows only when it is flushed; no real guest finds it like that.
 */
void flush_tlb(void);

/* Switches the machine off. */
_Noreturn void end(int failed);

#endif
