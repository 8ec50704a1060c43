-- 200,000 rows in one transaction, an index over them, and queries with and without it.

CREATE TABLE visit (id INTEGER PRIMARY KEY, place INTEGER, name TEXT, cost REAL);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
INSERT INTO visit (place, name, cost)
SELECT (i * 7919) % 997, 'guest number ' || ((i * 31) % 5003), ((i * 17) % 1000) / 8.0 FROM n;
COMMIT;
CREATE INDEX visit_place ON visit (place, cost);
SELECT count(*), sum(cost) FROM visit WHERE place BETWEEN 100 AND 199;
SELECT count(*) FROM (SELECT name, count(*) AS times, avg(cost) FROM visit GROUP BY name HAVING times > 39);
SELECT place, sum(cost) AS total FROM visit GROUP BY place ORDER BY total DESC, place LIMIT 1;
SELECT count(*) FROM visit AS a JOIN visit AS b ON a.id = b.place WHERE b.name LIKE '%99';
PRAGMA integrity_check;
