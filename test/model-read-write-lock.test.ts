import { exploreSchedules } from './model/schedules.js';

exploreSchedules('read-write lock');
