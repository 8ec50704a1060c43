/* Linked structures: lists that are sorted and reversed, a hash table of chains, a treap, a chase of pointers. */
#include "conformance.h"

enum { NODES = 512, BUCKETS = 64 };

struct node {
	struct node *next;
	uint64_t value;
};

static struct node nodes[NODES];

static struct node *make_list(uint64_t seed)
{
	struct node *first = NULL;
	for (size_t i = 0; i < NODES; i++) {
		nodes[i] = (struct node){first, next_random(&seed) % 10000};
		first = &nodes[i];
	}
	return first;
}

static uint64_t sum(const struct node *node)
{
	uint64_t all = EMPTY_HASH;
	for (; node != NULL; node = node->next)
		all = hash(all, node->value);
	return all;
}

static struct node *reverse(struct node *node)
{
	struct node *reversed = NULL;
	while (node != NULL) {
		struct node *const next = node->next;
		node->next = reversed;
		reversed = node;
		node = next;
	}
	return reversed;
}

static struct node *merge(struct node *a, struct node *b)
{
	struct node *first = NULL, **end = &first;
	while (a != NULL && b != NULL) {
		struct node **const smaller = b->value < a->value ? &b : &a;
		*end = *smaller;
		end = &(*end)->next;
		*smaller = (*smaller)->next;
	}
	*end = a != NULL ? a : b;
	return first;
}

static struct node *sort(struct node *list)
{
	if (list == NULL || list->next == NULL)
		return list;
	struct node *slow = list;
	for (struct node *fast = list->next; fast != NULL && fast->next != NULL; fast = fast->next->next)
		slow = slow->next;
	struct node *const half = slow->next;
	slow->next = NULL;
	return merge(sort(list), sort(half));
}

static void hash_table(void)
{
	static struct node *buckets[BUCKETS];
	uint64_t longest = 0, found = 0;
	make_list(99);
	for (size_t i = 0; i < NODES; i++) {
		struct node **const bucket = &buckets[hash(EMPTY_HASH, nodes[i].value) % BUCKETS];
		nodes[i].next = *bucket;
		*bucket = &nodes[i];
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		uint64_t length = 0;
		for (const struct node *node = buckets[i]; node != NULL; node = node->next)
			length++;
		longest = length > longest ? length : longest;
	}
	for (uint64_t value = 0; value < 2000; value++) {
		for (const struct node *node = buckets[hash(EMPTY_HASH, value) % BUCKETS]; node != NULL; node = node->next)
			found += node->value == value;
	}
	put("table: longest chain %lu, found %lu\n", longest, found);
}

struct tree {
	struct tree *child[2];
	uint32_t key, priority;
};

static struct tree *rotate(struct tree *root, int side)
{
	struct tree *const up = root->child[side];
	root->child[side] = up->child[!side];
	up->child[!side] = root;
	return up;
}

static struct tree *insert(struct tree *root, struct tree *new)
{
	if (root == NULL)
		return new;
	if (new->key == root->key)
		return root;
	const int side = new->key > root->key;
	root->child[side] = insert(root->child[side], new);
	return root->child[side]->priority > root->priority ? rotate(root, side) : root;
}

static unsigned walk(const struct tree *root, uint64_t *all, unsigned *count)
{
	if (root == NULL)
		return 0;
	const unsigned left = walk(root->child[0], all, count);
	*all = hash(*all, root->key);
	(*count)++;
	const unsigned right = walk(root->child[1], all, count);
	return 1 + (left > right ? left : right);
}

static void treap(void)
{
	static struct tree trees[NODES];
	struct tree *root = NULL;
	uint64_t state = 5, all = EMPTY_HASH;
	unsigned count = 0;
	for (size_t i = 0; i < NODES; i++) {
		const uint64_t random = next_random(&state);
		trees[i] = (struct tree){{NULL, NULL}, (uint32_t)(random % 3000), (uint32_t)(random >> 32)};
		root = insert(root, &trees[i]);
	}
	const unsigned depth = walk(root, &all, &count);
	put("treap: %u keys, depth %u, %016lx\n", count, depth, all);
}

/* One cycle through all nodes (Sattolo's algorithm), followed for some rounds. */
static void chase(void)
{
	static uint16_t cycle[NODES];
	uint64_t state = 11, all = EMPTY_HASH;
	for (size_t i = 0; i < NODES; i++)
		cycle[i] = (uint16_t)i;
	for (size_t i = NODES; i-- > 1;) {
		const size_t j = next_random(&state) % i;
		const uint16_t kept = cycle[i];
		cycle[i] = cycle[j];
		cycle[j] = kept;
	}
	for (size_t i = 0; i < NODES; i++)
		nodes[i] = (struct node){&nodes[cycle[i]], i};
	const struct node *node = nodes;
	for (size_t i = 0; i < 10 * NODES; i++) {
		node = node->next;
		if (i % 64 == 0)
			all = hash(all, node->value);
	}
	put("chase: at %lu, %016lx\n", node->value, all);
}

int main(void)
{
	struct node *list = make_list(1);
	put("made     %016lx\n", sum(list));
	list = reverse(list);
	put("reversed %016lx\n", sum(list));
	list = sort(list);
	put("sorted   %016lx\n", sum(list));
	uint64_t position = 0;
	for (const struct node *node = list; node != NULL; node = node->next, position++) {
		if (position % 64 == 0)
			put("  %lu: %lu\n", position, node->value);
	}
	hash_table();
	treap();
	chase();
	return 0;
}
