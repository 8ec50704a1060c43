/* Five bodies under their gravity, in doubles, by the leapfrog method: additions, products, quotients, roots. */
#include "kernel.h"

ROUNDS(480);

enum { BODIES = 5, STEPS = 4000 };

struct body {
	double x, y, z, vx, vy, vz, mass;
};

/* One heavy body and four light ones on circles that lean to each other; units in which gravity is 1. */
static struct body bodies[BODIES];

void prepare(void)
{
	bodies[0].mass = 40;
	for (int i = 1; i < BODIES; i++) {
		const double distance = 3.0 + 4.5 * i;
		const double speed = __builtin_sqrt(bodies[0].mass / distance);
		const double lean = 0.03 * i;
		bodies[i] = (struct body){distance, 0, lean * distance, 0, speed, -lean * speed, 0.01 * i};
	}
}

static void pull(struct body *restrict a, struct body *restrict b, double step)
{
	const double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
	const double square = dx * dx + dy * dy + dz * dz;
	const double strength = step / (square * __builtin_sqrt(square));
	a->vx -= dx * b->mass * strength;
	a->vy -= dy * b->mass * strength;
	a->vz -= dz * b->mass * strength;
	b->vx += dx * a->mass * strength;
	b->vy += dy * a->mass * strength;
	b->vz += dz * a->mass * strength;
}

static uint64_t bits(double value)
{
	union {
		double value;
		uint64_t bits;
	} both = {value};
	return both.bits;
}

uint64_t kernel(uint64_t seed)
{
	const double step = 0.001 + (double)(seed % 7) * 0.00001;
	for (int n = 0; n < STEPS; n++) {
		for (int i = 0; i < BODIES; i++) {
			for (int j = i + 1; j < BODIES; j++)
				pull(&bodies[i], &bodies[j], step);
		}
		for (int i = 0; i < BODIES; i++) {
			bodies[i].x += step * bodies[i].vx;
			bodies[i].y += step * bodies[i].vy;
			bodies[i].z += step * bodies[i].vz;
		}
	}
	uint64_t sum = seed;
	for (int i = 0; i < BODIES; i++)
		sum = mix(mix(mix(sum, bits(bodies[i].x)), bits(bodies[i].y)), bits(bodies[i].z));
	return sum;
}
