/* The game of life on a torus, kept in bits and in bytes: both ways must agree. */
#include "conformance.h"

enum { SIDE = 64, GENERATIONS = 40 };

static uint64_t bits[SIDE], other[SIDE];
static uint8_t cells[SIDE][SIDE], before[SIDE][SIDE];

static uint64_t turn(uint64_t row, int by)
{
	return by > 0 ? row << 1 | row >> 63 : row >> 1 | row << 63;
}

/* Adds a row of ones to a three-bit counter in every column. */
static void count(uint64_t counter[3], uint64_t row)
{
	const uint64_t first = counter[0] & row;
	counter[0] ^= row;
	const uint64_t second = counter[1] & first;
	counter[1] ^= first;
	counter[2] |= second;
}

static void step_bits(void)
{
	for (int y = 0; y < SIDE; y++) {
		uint64_t counter[3] = {0, 0, 0};
		for (int d = -1; d <= 1; d++) {
			const uint64_t row = bits[(y + d + SIDE) % SIDE];
			count(counter, turn(row, 1));
			count(counter, turn(row, -1));
			if (d != 0)
				count(counter, row);
		}
		other[y] = counter[1] & ~counter[2] & (counter[0] | bits[y]);
	}
	memcpy(bits, other, sizeof bits);
}

static void step_cells(void)
{
	memcpy(before, cells, sizeof cells);
	for (int y = 0; y < SIDE; y++) {
		for (int x = 0; x < SIDE; x++) {
			int near = 0;
			for (int d = 0; d < 9; d++)
				if (d != 4)
					near += before[(y + d / 3 - 1 + SIDE) % SIDE][(x + d % 3 - 1 + SIDE) % SIDE];
			cells[y][x] = near == 3 || (near == 2 && before[y][x]);
		}
	}
}

int main(void)
{
	uint64_t state = 12;
	for (int y = 0; y < SIDE; y++) {
		bits[y] = next_random(&state) & next_random(&state);
		for (int x = 0; x < SIDE; x++)
			cells[y][x] = bits[y] >> x & 1;
	}
	for (int generation = 0; generation < GENERATIONS; generation++) {
		step_bits();
		step_cells();
		uint64_t all = EMPTY_HASH;
		unsigned alive = 0, wrong = 0;
		for (int y = 0; y < SIDE; y++) {
			all = hash(all, bits[y]);
			alive += (unsigned)__builtin_popcountl(bits[y]);
			for (int x = 0; x < SIDE; x++)
				wrong += cells[y][x] != (bits[y] >> x & 1);
		}
		put("%d: %u alive, %u wrong, %016lx\n", generation, alive, wrong, all);
	}
	return 0;
}
