/* What a kernel gives to the program around it: guest.c in a machine, native.c on the host. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Fills the kernel's data. Called once, before anything is measured.
 */
void prepare(void);

/*
 * One round. The result depends on all the round's work and on `seed`, which is the result of the round before, so
 * that no compiler can leave a round out.
 */
uint64_t kernel(uint64_t seed);

/* How many rounds are measured. Set by ROUNDS, once in each kernel, so that QEMU takes about two seconds. */
extern const uint32_t rounds;

#ifdef FEW_ROUNDS
#define ROUNDS(count) const uint32_t rounds = (count) < FEW_ROUNDS ? (count) : FEW_ROUNDS
#else
#define ROUNDS(count) const uint32_t rounds = (count)
#endif

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* A function that stays one, where calls are what is measured. */
#define CALLED __attribute__((noipa))

/* The state of next_random() for any seed; it is never 0. */
static inline uint64_t random_from(uint64_t seed)
{
	return (seed ^ 0x9e3779b97f4a7c15) | 1;
}

/* The next pseudo-random number, by Marsaglia's xorshift of 13, 7 and 17. */
static inline uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* A checksum that takes in one more number; no step loses information. */
static inline uint64_t mix(uint64_t sum, uint64_t number)
{
	sum = (sum ^ number) * 0x100000001b3;
	return sum ^ sum >> 29;
}

#endif
