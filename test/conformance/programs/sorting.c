/* Sorting with comparison functions behind pointers: four algorithms, three orders, records and numbers. */
#include "conformance.h"

enum { COUNT = 200 };

struct record {
	uint32_t key;
	int16_t weight;
	uint8_t tag;
	uint64_t payload;
};

typedef int order(const struct record *a, const struct record *b);
typedef void algorithm(struct record *records, size_t count, order *compare);

static int by_key(const struct record *a, const struct record *b)
{
	return (a->key > b->key) - (a->key < b->key);
}

static int by_weight_falling(const struct record *a, const struct record *b)
{
	return b->weight - a->weight;
}

static int by_tag_then_payload(const struct record *a, const struct record *b)
{
	if (a->tag != b->tag)
		return a->tag - b->tag;
	return (a->payload > b->payload) - (a->payload < b->payload);
}

static void swap(struct record *a, struct record *b)
{
	const struct record kept = *a;
	*a = *b;
	*b = kept;
}

static void insertion(struct record *records, size_t count, order *compare)
{
	for (size_t i = 1; i < count; i++) {
		const struct record moved = records[i];
		size_t at = i;
		for (; at > 0 && compare(&moved, &records[at - 1]) < 0; at--)
			records[at] = records[at - 1];
		records[at] = moved;
	}
}

static void quick(struct record *records, size_t count, order *compare)
{
	if (count < 2)
		return;
	swap(&records[0], &records[count / 2]);
	size_t last = 0;
	for (size_t i = 1; i < count; i++) {
		if (compare(&records[i], &records[0]) < 0)
			swap(&records[++last], &records[i]);
	}
	swap(&records[0], &records[last]);
	quick(records, last, compare);
	quick(records + last + 1, count - last - 1, compare);
}

static void sift(struct record *records, size_t root, size_t count, order *compare)
{
	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && compare(&records[child], &records[child + 1]) < 0)
			child++;
		if (compare(&records[root], &records[child]) >= 0)
			return;
		swap(&records[root], &records[child]);
	}
}

static void heap(struct record *records, size_t count, order *compare)
{
	for (size_t i = count / 2; i-- > 0;)
		sift(records, i, count, compare);
	for (size_t end = count; end-- > 1;) {
		swap(&records[0], &records[end]);
		sift(records, 0, end, compare);
	}
}

static struct record merged[COUNT];

static void merge(struct record *records, size_t count, order *compare)
{
	if (count < 2)
		return;
	const size_t half = count / 2;
	merge(records, half, compare);
	merge(records + half, count - half, compare);
	size_t left = 0, right = half;
	for (size_t i = 0; i < count; i++) {
		const bool take_left = right == count || (left < half && compare(&records[left], &records[right]) <= 0);
		merged[i] = records[take_left ? left++ : right++];
	}
	memcpy(records, merged, count * sizeof *records);
}

static void generate(struct record *records)
{
	uint64_t state = 42;
	for (size_t i = 0; i < COUNT; i++) {
		const uint64_t random = next_random(&state);
		records[i] = (struct record){(uint32_t)random, (int16_t)(random >> 32), (uint8_t)(random >> 60), i};
	}
}

int main(void)
{
	static const struct {
		const char *name;
		algorithm *sort;
		bool stable;
	} algorithms[] = {{"insertion", insertion, true}, {"quick", quick, false}, {"heap", heap, false}, {"merge", merge, true}};
	static order *const orders[] = {by_key, by_weight_falling, by_tag_then_payload};
	static struct record records[COUNT];
	for (size_t a = 0; a < LENGTH(algorithms); a++) {
		for (size_t o = 0; o < LENGTH(orders); o++) {
			generate(records);
			algorithms[a].sort(records, COUNT, orders[o]);
			bool sorted = true;
			uint64_t all = EMPTY_HASH;
			for (size_t i = 0; i < COUNT; i++) {
				sorted = sorted && (i == 0 || orders[o](&records[i - 1], &records[i]) <= 0);
				all = hash(all, records[i].key ^ records[i].payload << 32);
			}
			put("%-9s order %lu: %s, %016lx\n", algorithms[a].name, o, sorted ? "sorted" : "not sorted", all);
		}
	}
	return 0;
}
