/*
 * What the compiler is given: a few small libraries of the kind that programs are made of, and a main function that
 * uses them all and prints a checksum, so that a compiler that ran wrongly is noticed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 88172645463325252u;

static uint64_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Text that grows. */

struct text {
	char *bytes;
	size_t length, room;
};

static void text_reserve(struct text *text, size_t more)
{
	if (text->length + more + 1 <= text->room)
		return;
	text->room = 2 * (text->length + more) + 16;
	text->bytes = realloc(text->bytes, text->room);
	if (!text->bytes)
		abort();
}

static void text_add(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int wanted = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	text_reserve(text, (size_t)wanted);
	va_start(arguments, format);
	vsnprintf(text->bytes + text->length, (size_t)wanted + 1, format, arguments);
	va_end(arguments);
	text->length += (size_t)wanted;
}

/* A hash table with open addressing, from names to numbers. */

struct entry {
	char name[24];
	long value;
	int used;
};

struct table {
	struct entry *entries;
	size_t size, used;
};

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;
	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash;
}

static struct entry *table_slot(struct table *table, const char *name)
{
	size_t at = hash_of(name) & (table->size - 1);
	while (table->entries[at].used && strcmp(table->entries[at].name, name) != 0)
		at = (at + 1) & (table->size - 1);
	return &table->entries[at];
}

static void table_grow(struct table *table)
{
	struct table bigger = { NULL, table->size ? 2 * table->size : 16, table->used };
	bigger.entries = calloc(bigger.size, sizeof *bigger.entries);
	if (!bigger.entries)
		abort();
	for (size_t i = 0; i < table->size; i++)
		if (table->entries[i].used)
			*table_slot(&bigger, table->entries[i].name) = table->entries[i];
	free(table->entries);
	*table = bigger;
}

static long *table_at(struct table *table, const char *name)
{
	if (4 * table->used >= 3 * table->size)
		table_grow(table);
	struct entry *entry = table_slot(table, name);
	if (!entry->used) {
		snprintf(entry->name, sizeof entry->name, "%s", name);
		entry->used = 1;
		table->used++;
	}
	return &entry->value;
}

/* Arithmetic expressions with names: a recursive-descent parser that evaluates. */

struct parser {
	const char *at;
	struct table *names;
	int errors;
};

static long sum(struct parser *parser);

static void skip_spaces(struct parser *parser)
{
	while (*parser->at == ' ')
		parser->at++;
}

static int take(struct parser *parser, char wanted)
{
	skip_spaces(parser);
	if (*parser->at != wanted)
		return 0;
	parser->at++;
	return 1;
}

static long primary(struct parser *parser)
{
	char name[24];
	size_t length = 0;

	if (take(parser, '(')) {
		long value = sum(parser);
		if (!take(parser, ')'))
			parser->errors++;
		return value;
	}
	if (take(parser, '-'))
		return -primary(parser);
	if (*parser->at >= '0' && *parser->at <= '9')
		return strtol(parser->at, (char **)&parser->at, 10);
	while (*parser->at >= 'a' && *parser->at <= 'z' && length < sizeof name - 1)
		name[length++] = *parser->at++;
	name[length] = 0;
	if (length == 0) {
		parser->errors++;
		return 0;
	}
	return *table_at(parser->names, name);
}

static long product(struct parser *parser)
{
	long value = primary(parser);
	for (;;) {
		if (take(parser, '*')) {
			value = (long)((unsigned long)value * (unsigned long)primary(parser));
		} else if (take(parser, '/')) {
			long by = primary(parser);
			value = by == 0 || by == -1 ? 0 : value / by;
		} else if (take(parser, '%')) {
			long by = primary(parser);
			value = by == 0 || by == -1 ? 0 : value % by;
		} else {
			return value;
		}
	}
}

static long sum(struct parser *parser)
{
	long value = product(parser);
	for (;;) {
		if (take(parser, '+'))
			value = (long)((unsigned long)value + (unsigned long)product(parser));
		else if (take(parser, '-'))
			value = (long)((unsigned long)value - (unsigned long)product(parser));
		else
			return value;
	}
}

/* An ordered tree: a treap, whose priorities are random. */

struct node {
	struct node *left, *right;
	uint32_t key, priority, count;
};

static struct node *rotate_right(struct node *node)
{
	struct node *top = node->left;
	node->left = top->right;
	top->right = node;
	return top;
}

static struct node *rotate_left(struct node *node)
{
	struct node *top = node->right;
	node->right = top->left;
	top->left = node;
	return top;
}

static struct node *tree_add(struct node *node, uint32_t key)
{
	if (!node) {
		node = calloc(1, sizeof *node);
		if (!node)
			abort();
		node->key = key;
		node->priority = (uint32_t)random_number();
	}
	if (key < node->key) {
		node->left = tree_add(node->left, key);
		return node->left->priority > node->priority ? rotate_right(node) : node;
	}
	if (key > node->key) {
		node->right = tree_add(node->right, key);
		return node->right->priority > node->priority ? rotate_left(node) : node;
	}
	node->count++;
	return node;
}

static uint64_t tree_sum(const struct node *node)
{
	if (!node)
		return 0;
	return node->key * (uint64_t)node->count + tree_sum(node->left) +
	       tree_sum(node->right);
}

/* Matrices of doubles. */

enum { SIDE = 48 };

typedef double matrix[SIDE][SIDE];

static void multiply(matrix result, const matrix a, const matrix b)
{
	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			double total = 0;
			for (int k = 0; k < SIDE; k++)
				total += a[i][k] * b[k][j];
			result[i][j] = total;
		}
}

/* Run-length coding, and back. */

static void pack(struct text *to, const uint8_t *from, size_t length)
{
	for (size_t at = 0; at < length;) {
		size_t run = 1;
		while (at + run < length && run < 255 && from[at + run] == from[at])
			run++;
		text_reserve(to, 2);
		to->bytes[to->length++] = (char)run;
		to->bytes[to->length++] = (char)from[at];
		at += run;
	}
}

static size_t unpack(uint8_t *to, size_t room, const struct text *from)
{
	size_t length = 0;
	for (size_t at = 0; at + 1 < from->length; at += 2) {
		size_t run = (uint8_t)from->bytes[at];
		if (length + run > room)
			return 0;
		memset(to + length, from->bytes[at + 1], run);
		length += run;
	}
	return length;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

int main(void)
{
	static matrix a, b, c;
	static uint32_t numbers[20000];
	static uint8_t before[40000], after[40000];
	struct table names = { 0 };
	struct text expression = { 0 }, packed = { 0 };
	struct node *tree = NULL;
	uint64_t check = 0;

	for (int i = 0; i < 20000; i++) {
		numbers[i] = (uint32_t)(random_number() >> 40);
		tree = tree_add(tree, numbers[i] & 0xfff);
	}
	qsort(numbers, 20000, sizeof *numbers, ascending);
	for (int i = 0; i < 20000; i++)
		check = check * 31 + numbers[i];
	check ^= tree_sum(tree);

	for (int i = 0; i < 300; i++) {
		char name[24];
		snprintf(name, sizeof name, "v%c%c", 'a' + i % 26, 'a' + i / 26);
		*table_at(&names, name) = (long)(random_number() % 1000);
		text_add(&expression, "%s(%s %% 97 - %d * -%d)", i ? " + " : "", name, i, i % 7);
	}
	struct parser parser = { expression.bytes, &names, 0 };
	check = check * 31 + (uint64_t)sum(&parser);

	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			a[i][j] = (double)((i * j) % 7);
			b[i][j] = (double)((i + j) % 5) / 4;
		}
	multiply(c, (const double(*)[SIDE])a, (const double(*)[SIDE])b);
	multiply(a, (const double(*)[SIDE])c, (const double(*)[SIDE])b);
	check = check * 31 + (uint64_t)(a[5][7] + a[SIDE - 1][SIDE - 2]);

	for (int i = 0; i < 40000; i++)
		before[i] = (uint8_t)(i / (1 + i % 3 * 20));
	pack(&packed, before, sizeof before);
	if (unpack(after, sizeof after, &packed) != sizeof before || memcmp(before, after, sizeof before))
		return 1;
	printf("%d %zu %016llx\n", parser.errors, packed.length, (unsigned long long)check);
	return 0;
}
