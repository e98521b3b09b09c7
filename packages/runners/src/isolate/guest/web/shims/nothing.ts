/** Stands for modules of Node of which nothing is used. */
export {};
