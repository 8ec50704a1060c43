# Floating point: a damped, driven pendulum, half a million steps of half-implicit Euler.

from math import cos, sin

angle, speed, time, step = 0.2, 0.0, 0.0, 0.001
furthest = 0.0
for i in range(500_000):
    speed += step * (1.15 * cos(2 * time / 3) - sin(angle) - speed / 2)
    angle += step * speed
    time += step
    if abs(angle) > furthest:
        furthest = abs(angle)
print(f"{angle:.6f} {speed:.6f} {furthest:.6f}")
