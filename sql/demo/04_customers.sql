-- Three hundred customers with invented names and addresses of the reserved domains and telephone ranges.
CREATE TEMP TABLE demo_town (town text, postcode text) ON COMMIT DROP;
INSERT INTO demo_town VALUES
	('Paris', '75011'), ('Paris', '75018'), ('Paris', '75015'), ('Lyon', '69003'), ('Lyon', '69007'), ('Marseille', '13006'), ('Bordeaux', '33000'),
	('Nantes', '44000'), ('Lille', '59000'), ('Toulouse', '31000'), ('Rennes', '35000'), ('Strasbourg', '67000'), ('Montpellier', '34000'),
	('Nice', '06000'), ('Grenoble', '38000'), ('Dijon', '21000'), ('Angers', '49000'), ('Tours', '37000'), ('Annecy', '74000'), ('La Rochelle', '17000'),
	('Caen', '14000'), ('Rouen', '76000'), ('Nancy', '54000'), ('Brest', '29200'), ('Vannes', '56000'), ('Bayonne', '64100'), ('Aix-en-Provence', '13100'),
	('Versailles', '78000'), ('Montreuil', '93100'), ('Clermont-Ferrand', '63000');

CREATE TEMP TABLE demo_customer ON COMMIT DROP AS
WITH words AS (
	SELECT '{fr,fr,fr,fr,fr,fr,fr,fr,en,en,es,de}'::text[] AS locales,
		'{Camille,Léa,Manon,Chloé,Sarah,Julie,Claire,Émilie,Lucie,Marion,Sophie,Nathalie,Isabelle,Céline,Aurélie,Hélène,Margaux,Inès,Jeanne,Louise,Thomas,Nicolas,Julien,Antoine,Maxime,Hugo,Paul,Louis,Vincent,Mathieu,Guillaume,Romain,Olivier,Pierre,François,Karim,Yanis,Bastien,Fabien,Étienne}'::text[] AS fr_first,
		'{Lefèvre,Moreau,Garnier,Rousseau,Chevalier,Fontaine,Mercier,Blanchard,Guérin,Perrin,Morel,Lambert,Bonnet,Faure,Marchand,Renaud,Delmas,Barbier,Colin,Besnard,Carpentier,Vidal,Roussel,Leclerc,Aubert,Gaillard,Benali,Haddad,Nguyen,Diallo,Pelletier,Charpentier,Royer,Tessier,Lacroix,Brun}'::text[] AS fr_last,
		'{Emily,Oliver,Charlotte,Harry,Grace,Daniel,Hannah,James,Amelia,George}'::text[] AS en_first,
		'{Whitfield,Barlow,Ashworth,Pemberton,Hartley,Fletcher,Langley,Thornton,Bishop,Marlow}'::text[] AS en_last,
		'{Lucía,Álvaro,Carmen,Javier,Elena,Pablo,Marta}'::text[] AS es_first, '{Ortega,Navarro,Iglesias,Serrano,Vega,Molina,Prieto}'::text[] AS es_last,
		'{Anna,Lukas,Katrin,Jonas,Sabine,Felix,Greta}'::text[] AS de_first, '{Brandt,Lindner,Hoffmann,Vogel,Seidel,Krause,Albrecht}'::text[] AS de_last,
		'{rue des Tilleuls,rue de la République,rue Victor Hugo,avenue Jean Jaurès,rue du Moulin,place du Marché,rue des Lilas,boulevard Gambetta,rue Pasteur,chemin des Vignes,quai de la Fosse,rue Saint-Michel,allée des Platanes,impasse du Puits,rue des Carmes}'::text[] AS streets
), drawn AS (
	SELECT i, pg_temp.pick(locales, 'locale ' || i) AS locale, w.*, (SELECT count(*) FROM demo_town) AS towns
	  FROM generate_series(1, 300) AS i, words w
), named AS (
	SELECT i, locale, streets, towns,
		pg_temp.pick(CASE locale WHEN 'en' THEN en_first WHEN 'es' THEN es_first WHEN 'de' THEN de_first ELSE fr_first END, 'first ' || i) AS first,
		pg_temp.pick(CASE locale WHEN 'en' THEN en_last WHEN 'es' THEN es_last WHEN 'de' THEN de_last ELSE fr_last END, 'last ' || i) AS last
	  FROM drawn
)
SELECT i, locale, first, last, first || ' ' || last AS name,
	format('%s.%s%s@example.%s', souk.slug(first), souk.slug(last), i, CASE WHEN pg_temp.chance('domain ' || i) < 0.6 THEN 'org' ELSE 'com' END) AS email,
	format('+33 6 39 98 %s %s', lpad(pg_temp.between(0, 99, 'phone a ' || i)::text, 2, '0'), lpad(pg_temp.between(0, 99, 'phone b ' || i)::text, 2, '0')) AS phone,
	jsonb_build_object('name', first || ' ' || last,
		'line1', pg_temp.between(1, 118, 'number ' || i) || ' ' || pg_temp.pick(streets, 'street ' || i),
		'postcode', t.postcode, 'city', t.town, 'country', 'FR') AS address,
	-- How much somebody buys: a few come back all the time, most once or twice a year.
	power(pg_temp.chance('loyal ' || i), 3) + 0.06 AS pull,
	pg_temp.pick('{luminaires,mobilier,decoration,textile,rangement}', 'taste ' || i) AS taste,
	-- When they first came, as a share of the two years.
	power(pg_temp.chance('joined ' || i), 1.5) * 0.92 AS joined
  FROM named n
  JOIN (SELECT town, postcode, row_number() OVER (ORDER BY postcode, town) AS k FROM demo_town) t
    ON t.k = 1 + floor(pg_temp.chance('town ' || n.i) * n.towns);

INSERT INTO shop.customers (id, created_at, updated_at, locale, email, name, phone, addresses)
OVERRIDING SYSTEM VALUE
SELECT i, pg_temp.demo_now() - make_interval(secs => 86400 * 730 * (1 - joined)), pg_temp.demo_now() - make_interval(secs => 86400 * 730 * (1 - joined)),
	locale, email, name, CASE WHEN pg_temp.chance('has phone ' || i) < 0.8 THEN phone END, jsonb_build_array(address)
  FROM demo_customer ORDER BY i;
SELECT setval(pg_get_serial_sequence('shop.customers', 'id'), 300);
