/*
 * Xapian beside souk's search, for bench/search.py: the same products and queries.
 *
 *   search_xapian index DB < PRODUCTS    leaves parts beside DB; lines of id, name, brand, colour, category, description, price, stock, parted by tabs
 *   search_xapian run DB QUERIES REPEAT plain|filter|facets    prints microseconds, one line for each search
 *   search_xapian list DB QUERIES TOP    prints query id, tab, product id, tab, score
 *
 * BM25 with the field weights 5 name, 3 brand, 1 colour, 2 category, 1 description; any of the words.
 */
#include <chrono>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <xapian.h>

static std::vector<std::string>
columns(const std::string &line)
{
	std::vector<std::string> out;
	size_t at = 0, tab;

	while ((tab = line.find('\t', at)) != std::string::npos) {
		out.push_back(line.substr(at, tab - at));
		at = tab + 1;
	}
	out.push_back(line.substr(at));
	return out;
}

static const unsigned part_sz = 200000; /* documents whose postings are held in memory before they are written: about 3 GB */

static void
add(Xapian::WritableDatabase &db, Xapian::TermGenerator &generator, const std::vector<std::string> &c)
{
	static const int weight[] = { 0, 5, 3, 1, 2, 1 };
	Xapian::Document doc;

	generator.set_document(doc);
	for (int i = 1; i <= 5; i++)
		if (c[i] != "\\N")
			generator.index_text_without_positions(c[i], weight[i]);
	doc.set_data(c[0]);
	doc.add_value(0, Xapian::sortable_serialise(c[6] == "\\N" ? -1 : std::stod(c[6])));
	doc.add_value(1, Xapian::sortable_serialise(std::stod(c[7])));
	doc.add_value(2, c[2]);
	doc.add_value(3, c[4]);
	doc.add_value(4, c[3]);
	db.add_document(doc);
}

/* Parts of its own that are merged at the end: Xapian's manual recommends this for large builds, and it takes a quarter of the time of one growing database. */
static void
index(const std::string &path)
{
	Xapian::TermGenerator generator;
	Xapian::Database all;
	std::string line;
	bool more = true;

	generator.set_stemmer(Xapian::Stem("en"));
	for (int part = 0; more; part++) {
		std::string name = path + ".part" + std::to_string(part);
		Xapian::WritableDatabase db(name, Xapian::DB_CREATE_OR_OVERWRITE | Xapian::DB_NO_SYNC);

		while (db.get_doccount() < part_sz && (more = bool(std::getline(std::cin, line)))) {
			std::vector<std::string> c = columns(line);

			if (c.size() >= 8)
				add(db, generator, c);
		}
		db.commit();
		all.add_database(Xapian::Database(name));
	}
	all.compact(path, Xapian::DBCOMPACT_MULTIPASS);
}

static Xapian::Query
parsed(const std::string &text)
{
	Xapian::QueryParser parser;

	parser.set_stemmer(Xapian::Stem("en"));
	parser.set_stemming_strategy(Xapian::QueryParser::STEM_SOME);
	return parser.parse_query(text, 0);
}

static double
run(const Xapian::Database &db, const std::string &text, const std::string &mode)
{
	auto began = std::chrono::steady_clock::now();
	Xapian::Query query = parsed(text);
	Xapian::Enquire enquire(db);
	Xapian::ValueCountMatchSpy brand(2), category(3), colour(4);
	Xapian::MSet found;

	if (mode == "filter")
		query = Xapian::Query(Xapian::Query::OP_FILTER, query,
		    Xapian::Query(Xapian::Query::OP_AND, Xapian::Query(Xapian::Query::OP_VALUE_GE, 1, Xapian::sortable_serialise(1)),
		    Xapian::Query(Xapian::Query::OP_VALUE_RANGE, 0, Xapian::sortable_serialise(0), Xapian::sortable_serialise(3000))));
	enquire.set_query(query);
	if (mode == "facets") {
		enquire.add_matchspy(&brand);
		enquire.add_matchspy(&category);
		enquire.add_matchspy(&colour);
	}
	found = enquire.get_mset(0, 10, mode == "facets" ? db.get_doccount() : 0);
	for (auto i = found.begin(); i != found.end(); ++i)
		i.get_document().get_data();
	return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count();
}

static std::vector<std::vector<std::string>>
queries_of(const char *path)
{
	std::vector<std::vector<std::string>> out;
	std::ifstream file(path);
	std::string line;

	while (std::getline(file, line))
		if (columns(line).size() > 1 && columns(line)[1] != "query")
			out.push_back(columns(line));
	return out;
}

static void
list(const Xapian::Database &db, const std::vector<std::string> &query, unsigned top)
{
	Xapian::Enquire enquire(db);

	enquire.set_query(parsed(query[1]));
	Xapian::MSet found = enquire.get_mset(0, top);
	for (auto i = found.begin(); i != found.end(); ++i)
		std::cout << query[0] << '\t' << i.get_document().get_data() << '\t' << i.get_weight() << '\n';
}

int
main(int argc, char **argv)
{
	std::string what = argc > 1 ? argv[1] : "";

	if (what == "index" && argc == 3) {
		index(argv[2]);
		return 0;
	}
	if ((what != "run" || argc != 6) && (what != "list" || argc != 5))
		return 2;
	Xapian::Database db(argv[2]);
	for (int k = what == "run" ? std::stoi(argv[4]) : 1; k > 0; k--)
		for (const auto &query : queries_of(argv[3]))
			if (what == "run")
				std::cout << run(db, query[1], argv[5]) << '\n';
			else
				list(db, query, (unsigned)std::stoul(argv[4]));
	return 0;
}
