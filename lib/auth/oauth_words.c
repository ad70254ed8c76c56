/* What scopes mean, for people who are asked to grant them. */
#include <string.h>

#include "auth/oauth_internal.h"
#include "core/banned.h"

static const struct {
	const char *scope;
	bool staff;		/* what it means for people of the shop, where that is something else */
	const char *en, *fr;
} known[] = {
	{ "orders:read", true, "See all orders, their items and where parcels are", "Voir toutes les commandes, leur contenu et où sont les colis" },
	{ "orders:read", false, "See your orders, their items and where parcels are", "Voir vos commandes, leur contenu et où sont les colis" },
	{ "orders:write", true, "Cancel orders and write to customers about them", "Annuler des commandes et écrire aux clients à leur sujet" },
	{ "orders:write", false, "Cancel your orders and write to the shop about them", "Annuler vos commandes et écrire à la boutique à leur sujet" },
	{ "orders:manage", false, "Ship orders, follow parcels and answer letters about orders", "Expédier des commandes, suivre les colis et répondre au sujet des commandes" },
	{ "support:read", true, "See all requests of customers and their returns", "Voir toutes les demandes des clients et leurs retours" },
	{ "support:read", false, "See your requests to the shop and your returns", "Voir vos demandes à la boutique et vos retours" },
	{ "support:write", true, "Open and answer requests and returns of customers", "Ouvrir et traiter des demandes et des retours de clients" },
	{ "support:write", false, "Ask the shop for help and open returns for you", "Demander de l’aide à la boutique et ouvrir des retours pour vous" },
	{ "support:manage", false, "Decide on returns and requests of customers", "Décider des retours et des demandes des clients" },
	{ "payments:write", false, "Record payments and refunds of orders", "Noter des paiements et des remboursements de commandes" },
	{ "cart:read", false, "See your basket", "Voir votre panier" },
	{ "cart:write", false, "Change your basket and prepare a payment", "Modifier votre panier et préparer un paiement" },
	{ "catalog:read", false, "See the catalogue, also what is not published", "Voir le catalogue, aussi ce qui n’est pas publié" },
	{ "catalog:write", false, "Change products", "Modifier des produits" },
	{ "sales:read", false, "See the shop’s sales and figures", "Voir les ventes et les chiffres de la boutique" },
	{ "inventory:read", false, "See stock and prices of all products", "Voir le stock et les prix de tous les produits" },
	{ "analytics:read", false, "See figures about sales, products and customers", "Voir les chiffres sur les ventes, les produits et les clients" },
	{ "status:read", false, "See whether the service works well", "Voir si le service fonctionne bien" },
	{ "metrics:read", false, "Read the service’s measurements", "Lire les mesures du service" },
	{ "admin:read", false, "See everything in the administration", "Voir toute l’administration" },
	{ "admin:write", false, "Change products, orders and settings of the shop", "Modifier les produits, les commandes et les réglages de la boutique" },
	{ "notifications:send", false, "Send e-mails and messages in the shop’s name", "Envoyer des e-mails et des messages au nom de la boutique" },
	{ "notifications:write", false, "Send e-mails and messages in the shop’s name", "Envoyer des e-mails et des messages au nom de la boutique" },
	{ "test:run", false, "Start test runs of the service", "Lancer des tests du service" },
};

const char *
scope_words(struct ctx *c, const char *scope, const char *locale, bool staff, bool *changes)
{
	bool fr = strcmp(locale, "fr") == 0;
	const char *verb = strchr(scope, ':');

	*changes = verb == NULL || strcmp(verb, ":read") != 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].scope, scope) == 0 && (staff || !known[i].staff))
			return fr ? known[i].fr : known[i].en;
	return fr ? arena_printf(c->a, "Utiliser le droit « %s »", scope) : arena_printf(c->a, "Use the right “%s”", scope);
}
