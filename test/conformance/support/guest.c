/*
 * The guest's side of conformance.h that is the same on every architecture: formatted output, memory and strings.
 * Written plainly, so that it can be trusted by reading it.
 */
#include "conformance.h"
#include "guest.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	unsigned char *target = to;
	const unsigned char *source = from;
	while (size-- > 0)
		*target++ = *source++;
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *target = to;
	const unsigned char *source = from;
	if ((uintptr_t)target <= (uintptr_t)source) {
		while (size-- > 0)
			*target++ = *source++;
	} else {
		while (size-- > 0)
			target[size] = source[size];
	}
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	unsigned char *target = to;
	while (size-- > 0)
		*target++ = (unsigned char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *one = a, *other = b;
	for (; size > 0; size--, one++, other++) {
		if (*one != *other)
			return *one < *other ? -1 : 1;
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;
	while (text[length] != 0)
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	const unsigned char *one = (const unsigned char *)a, *other = (const unsigned char *)b;
	while (*one != 0 && *one == *other) {
		one++;
		other++;
	}
	return *one - *other;
}

/* How a value is printed: the minimum width and on which side it is filled with what. */
struct field {
	int width;
	bool zeros;
	bool left;
};

static void put_padding(int count, char byte)
{
	while (count-- > 0)
		send(byte);
}

static void put_text(struct field field, const char *text)
{
	const int padding = field.width - (int)strlen(text);
	if (!field.left)
		put_padding(padding, ' ');
	while (*text != 0)
		send(*text++);
	if (field.left)
		put_padding(padding, ' ');
}

static void put_number(struct field field, uint64_t magnitude, bool negative, unsigned base)
{
	char digits[24];
	char *first = digits + sizeof digits - 1;
	*first = 0;
	do {
		*--first = "0123456789abcdef"[magnitude % base];
		magnitude /= base;
	} while (magnitude != 0);
	if (field.zeros && !field.left) {
		const int length = (int)(digits + sizeof digits - 1 - first);
		if (negative)
			send('-');
		put_padding(field.width - length - (negative ? 1 : 0), '0');
		field.width = 0;
	} else if (negative) {
		*--first = '-';
	}
	put_text(field, first);
}

static void put_signed(struct field field, int64_t value)
{
	put_number(field, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0, 10);
}

void put(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	for (; *format != 0; format++) {
		if (*format != '%') {
			send(*format);
			continue;
		}
		struct field field = {0};
		for (format++; *format == '0' || *format == '-'; format++) {
			if (*format == '0')
				field.zeros = true;
			else
				field.left = true;
		}
		for (; *format >= '0' && *format <= '9'; format++)
			field.width = 10 * field.width + (*format - '0');
		const bool wide = *format == 'l';
		if (wide)
			format++;
		switch (*format) {
		case 'd':
			put_signed(field, wide ? va_arg(arguments, long) : va_arg(arguments, int));
			break;
		case 'u':
		case 'x':
			put_number(field, wide ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned),
				   false, *format == 'u' ? 10 : 16);
			break;
		case 's':
			put_text(field, va_arg(arguments, const char *));
			break;
		case 'c':
			put_text(field, (char[2]){(char)va_arg(arguments, int), 0});
			break;
		case '%':
			send('%');
			break;
		default:
			put_text(field, "<unknown format>");
			leave(2);
		}
	}
	va_end(arguments);
}
