/* Quicksort of 32768 records with a comparison behind a pointer, as qsort() of the C library has it. */
#include "kernel.h"

ROUNDS(120);

enum { COUNT = 32 * 1024 };

struct record {
	uint32_t key;
	uint32_t number;
};

typedef int comparison(const void *a, const void *b);

static struct record records[COUNT];

void prepare(void)
{
}

static int rising(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	if (x->key == y->key)
		return (x->number > y->number) - (x->number < y->number);
	return x->key > y->key ? 1 : -1;
}

static int falling(const void *a, const void *b)
{
	return rising(b, a);
}

/* Chosen at run time, so that no compiler can see through the pointer. */
static comparison *volatile comparisons[] = {rising, falling};

static void swap(struct record *a, struct record *b)
{
	const struct record kept = *a;
	*a = *b;
	*b = kept;
}

/* Hoare's partition around the middle; the shorter side by recursion, the longer one by the loop. */
CALLED static void sort(struct record *first, size_t count, comparison *compare)
{
	while (count > 1) {
		const struct record pivot = first[(count - 1) / 2];
		struct record *low = first, *high = first + count - 1;
		for (;; low++, high--) {
			while (compare(low, &pivot) < 0)
				low++;
			while (compare(high, &pivot) > 0)
				high--;
			if (low >= high)
				break;
			swap(low, high);
		}
		const size_t left = (size_t)(high - first) + 1;
		if (left < count - left) {
			sort(first, left, compare);
			first += left;
			count -= left;
		} else {
			sort(first + left, count - left, compare);
			count = left;
		}
	}
}

uint64_t kernel(uint64_t seed)
{
	uint64_t state = random_from(seed);
	for (uint32_t i = 0; i < COUNT; i++)
		records[i] = (struct record){(uint32_t)next_random(&state) >> 8, i};
	sort(records, COUNT, comparisons[seed % 2]);
	uint64_t sum = seed;
	for (size_t i = 0; i < COUNT; i += 64)
		sum = mix(sum, (uint64_t)records[i].key << 32 | records[i].number);
	return sum;
}
