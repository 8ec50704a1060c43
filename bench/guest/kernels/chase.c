/* Pointer chasing: one cycle in random order through all of 4 MiB, so that each load waits for the one before. */
#include "kernel.h"

ROUNDS(96);

enum { NODES = 64 * 1024, STEPS = 1024 * 1024 };

/* 64 bytes, a line of most caches. */
struct node {
	struct node *next;
	uint64_t number;
	uint64_t unused[6];
};

static struct node nodes[NODES];

/* Sattolo's shuffle makes a permutation that is a single cycle. */
void prepare(void)
{
	static uint32_t order[NODES];
	uint64_t state = random_from(2);
	for (uint32_t i = 0; i < NODES; i++)
		order[i] = i;
	for (uint32_t i = NODES - 1; i > 0; i--) {
		const uint32_t other = (uint32_t)(next_random(&state) % i);
		const uint32_t kept = order[i];
		order[i] = order[other];
		order[other] = kept;
	}
	for (uint32_t i = 0; i < NODES; i++) {
		nodes[i].next = &nodes[order[i]];
		nodes[i].number = next_random(&state);
	}
}

uint64_t kernel(uint64_t seed)
{
	const struct node *at = &nodes[seed % NODES];
	uint64_t sum = seed;
	for (uint32_t i = 0; i < STEPS; i++) {
		sum += at->number;
		at = at->next;
	}
	return mix(sum, (uint64_t)(at - nodes));
}
