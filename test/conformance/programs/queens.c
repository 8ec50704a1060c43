/* Queens on boards of up to nine rows, by bits and by recursion; and a knight's tour by the fewest ways on. */
#include "conformance.h"

static unsigned count(unsigned all, unsigned columns, unsigned left, unsigned right)
{
	if (columns == all)
		return 1;
	unsigned found = 0;
	for (unsigned free = all & ~(columns | left | right); free != 0; free &= free - 1) {
		const unsigned bit = free & -free;
		found += count(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
	}
	return found;
}

enum { SIDE = 8 };
static int board[SIDE][SIDE];
static const int steps[8][2] = {{1, 2}, {2, 1}, {2, -1}, {1, -2}, {-1, -2}, {-2, -1}, {-2, 1}, {-1, 2}};

static bool is_free(int x, int y)
{
	return x >= 0 && y >= 0 && x < SIDE && y < SIDE && board[x][y] == 0;
}

static int ways(int x, int y)
{
	int found = 0;
	for (int i = 0; i < 8; i++)
		found += is_free(x + steps[i][0], y + steps[i][1]);
	return found;
}

int main(void)
{
	for (unsigned rows = 1; rows <= 9; rows++)
		put("%u queens: %u\n", rows, count((1u << rows) - 1, 0, 0, 0));
	int x = 0, y = 0, number = 1;
	board[0][0] = 1;
	for (;;) {
		int best = 9, next_x = 0, next_y = 0;
		for (int i = 0; i < 8; i++) {
			const int to_x = x + steps[i][0], to_y = y + steps[i][1];
			if (is_free(to_x, to_y) && ways(to_x, to_y) < best) {
				best = ways(to_x, to_y);
				next_x = to_x;
				next_y = to_y;
			}
		}
		if (best == 9)
			break;
		x = next_x;
		y = next_y;
		board[x][y] = ++number;
	}
	for (int row = 0; row < SIDE; row++) {
		for (int column = 0; column < SIDE; column++)
			put("%3d", board[row][column]);
		put("\n");
	}
	return 0;
}
