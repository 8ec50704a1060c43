/* Five bodies that attract each other: long chains of double arithmetic, whose last bit shows every difference. */
#include "conformance.h"

struct body {
	double position[3], velocity[3], mass;
};

static const double SOLAR_MASS = 39.47841760435743, YEAR = 365.24;

static void step(struct body *bodies, size_t count, double duration)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = i + 1; j < count; j++) {
			double distance[3], square = 0;
			for (size_t k = 0; k < 3; k++) {
				distance[k] = bodies[i].position[k] - bodies[j].position[k];
				square += distance[k] * distance[k];
			}
			const double pull = duration / (square * __builtin_sqrt(square));
			for (size_t k = 0; k < 3; k++) {
				bodies[i].velocity[k] -= distance[k] * bodies[j].mass * pull;
				bodies[j].velocity[k] += distance[k] * bodies[i].mass * pull;
			}
		}
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < 3; k++)
			bodies[i].position[k] += duration * bodies[i].velocity[k];
	}
}

static double energy(const struct body *bodies, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		double square = 0;
		for (size_t k = 0; k < 3; k++)
			square += bodies[i].velocity[k] * bodies[i].velocity[k];
		sum += 0.5 * bodies[i].mass * square;
		for (size_t j = i + 1; j < count; j++) {
			double apart = 0;
			for (size_t k = 0; k < 3; k++) {
				const double distance = bodies[i].position[k] - bodies[j].position[k];
				apart += distance * distance;
			}
			sum -= bodies[i].mass * bodies[j].mass / __builtin_sqrt(apart);
		}
	}
	return sum;
}

int main(void)
{
	struct body bodies[] = {
		{{0, 0, 0}, {0, 0, 0}, SOLAR_MASS},
		{{4.84, -1.16, -0.1036}, {0.00166 * YEAR, 0.0077 * YEAR, -0.000069 * YEAR}, 0.00095 * SOLAR_MASS},
		{{8.34, 4.12, -0.4035}, {-0.00277 * YEAR, 0.005 * YEAR, 0.000023 * YEAR}, 0.00028 * SOLAR_MASS},
		{{12.89, -15.11, -0.2233}, {0.00296 * YEAR, 0.00238 * YEAR, -0.00003 * YEAR}, 0.000044 * SOLAR_MASS},
		{{15.38, -25.92, 0.1793}, {0.00268 * YEAR, 0.00163 * YEAR, -0.000095 * YEAR}, 0.000052 * SOLAR_MASS},
	};
	for (size_t i = 1; i < LENGTH(bodies); i++) {
		for (size_t k = 0; k < 3; k++)
			bodies[0].velocity[k] -= bodies[i].velocity[k] * bodies[i].mass / SOLAR_MASS;
	}
	put("energy %016lx\n", double_bits(energy(bodies, LENGTH(bodies))));
	for (int round = 0; round < 5; round++) {
		for (int n = 0; n < 200; n++)
			step(bodies, LENGTH(bodies), 0.01);
		put("energy %016lx\n", double_bits(energy(bodies, LENGTH(bodies))));
	}
	for (size_t i = 0; i < LENGTH(bodies); i++)
		put("%016lx %016lx %016lx\n", double_bits(bodies[i].position[0]), double_bits(bodies[i].position[1]),
		    double_bits(bodies[i].position[2]));
	return 0;
}
